"""Shims for what old notebooks call besides MXNet: pandas, matplotlib, IPython, NumPy, PyTorch.

The book was printed with pandas 1, matplotlib 3.3, IPython 7, NumPy 1.19 and PyTorch 1.8. Each
function here brings one thing back that later versions took away, for this whole process: so they
are applied by the runner, or when a user says ``install(shims=True)``, and never by an import. A
shim does nothing where the thing is still there. ``used()`` tells which were needed.
"""

import functools
import importlib
import math
import sys
import warnings
from collections.abc import Callable
from typing import Any

_SHIMS: dict[str, list[Callable[[], None]]] = {}
_used: dict[str, None] = {}
_applied: set[str] = set()


def apply_shims() -> None:
    """Apply every shim; those for packages that are imported later wait for their import."""
    _applied.clear()
    for package in _SHIMS:
        if package in sys.modules:
            _apply(package)
    if not any(isinstance(finder, _Waiting) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Waiting())


def used() -> list[str]:
    """Give one line for each shim that a program needed, in order of first use."""
    return list(_used)


def shims() -> list[str]:
    """Give one line for each shim there is."""
    return [(shim.__doc__ or "").split("\n")[0] for group in _SHIMS.values() for shim in group]


def _shim(package: str) -> Callable[[Callable[[], None]], Callable[[], None]]:
    def note(shim: Callable[[], None]) -> Callable[[], None]:
        _SHIMS.setdefault(package, []).append(shim)
        return shim

    return note


def _apply(package: str) -> None:
    if package in _applied:
        return
    _applied.add(package)
    for shim in _SHIMS[package]:
        shim()


class _Waiting:
    """Sees a package being imported, and applies its shims when that is done."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if name not in _SHIMS or name in _applied:
            return None
        _applied.add(name)  # the look-up below comes here again
        try:
            spec = importlib.util.find_spec(name)
        finally:
            _applied.discard(name)
        if spec is None or spec.loader is None:
            return None
        loader = spec.loader
        run = loader.exec_module

        def exec_module(module: Any) -> None:
            run(module)
            _apply(name)

        loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


def _note(shim: Callable[[], None]) -> None:
    _used[(shim.__doc__ or "").split("\n")[0]] = None


def _replace(owner: Any, name: str, shim: Callable[[], None], make: Callable[[Any], Any]) -> None:
    """Put ``make(original)`` in place of an attribute, once for each shim."""
    original = getattr(owner, name)
    former = getattr(original, "divekit_shims", ())
    if shim.__name__ in former:
        return
    replacement: Any = functools.wraps(original)(make(original))
    replacement.divekit_shims = (*former, shim.__name__)
    setattr(owner, name, replacement)


# NumPy


@_shim("numpy")
def numpy_names() -> None:
    """Since NumPy 1.24 and 2.0, np.bool, np.int, np.float, np.NaN, np.product ... are gone."""
    import numpy

    gone: dict[str, Any] = {
        "bool": bool,
        "int": int,
        "float": float,
        "complex": complex,
        "object": object,
        "str": str,
        "float_": numpy.float64,
        "complex_": numpy.complex128,
        "unicode_": numpy.str_,
        "NaN": numpy.nan,
        "Inf": numpy.inf,
        "infty": numpy.inf,
        "product": numpy.prod,
        "cumproduct": numpy.cumprod,
        "sometrue": numpy.any,
        "alltrue": numpy.all,
        "in1d": lambda a, b, **settings: numpy.isin(numpy.ravel(a), b, **settings),
        "row_stack": numpy.vstack,
        "trapz": getattr(numpy, "trapezoid", None),
    }
    known = vars(numpy)
    former: Callable[[str], Any] = known["__getattr__"]
    if getattr(former, "divekit_shim", False):
        return

    def name_of_old(name: str) -> Any:
        if gone.get(name) is not None:
            _note(numpy_names)
            return gone[name]
        return former(name)

    name_of_old.divekit_shim = True  # type: ignore[attr-defined]
    known["__getattr__"] = name_of_old


@_shim("numpy")
def ragged_arrays() -> None:
    """Since NumPy 1.24, np.array of rows of unequal lengths is an error, not an array of lists."""
    import numpy

    def make(original: Any) -> Any:
        def array(object: Any, dtype: Any = None, **settings: Any) -> Any:
            try:
                return original(object, dtype, **settings)
            except ValueError as error:
                if dtype is not None or "inhomogeneous" not in str(error):
                    raise
                _note(ragged_arrays)
                return original(object, dtype=numpy.object_, **settings)

        return array

    _replace(numpy, "array", ragged_arrays, make)


@_shim("numpy")
def plain_scalars() -> None:
    """Since NumPy 2.0, a number of NumPy's prints with its type: np.float64(0.5), not 0.5."""
    import numpy

    if int(numpy.__version__.split(".")[0]) >= 2 and not numpy.get_printoptions()["legacy"]:
        numpy.set_printoptions(legacy="1.25")
        _note(plain_scalars)


# PyTorch


@_shim("torch")
def numbers_of_graphs() -> None:
    """Today's PyTorch warns of float(loss) while the loss has its graph; that of 2021 did not."""
    warnings.filterwarnings(
        "ignore", message="Converting a tensor with requires_grad=True to a scalar"
    )
    _note(numbers_of_graphs)


# pandas


@_shim("pandas")
def mixed_columns() -> None:
    """Since pandas 2.0, DataFrame.mean() and its like refuse columns of text they once left out."""
    import pandas

    def make(original: Any) -> Any:
        def reduce(self: Any, *args: Any, **settings: Any) -> Any:
            try:
                return original(self, *args, **settings)
            except TypeError:
                if "numeric_only" in settings:
                    raise
                _note(mixed_columns)
                return original(self, *args, numeric_only=True, **settings)

        return reduce

    for name in ("mean", "median", "std", "var", "sem", "skew", "kurt"):
        _replace(pandas.DataFrame, name, mixed_columns, make)


@_shim("pandas")
def indicator_columns() -> None:
    """Since pandas 2.0, get_dummies gives True and False, where it gave 1 and 0."""
    import pandas

    def make(original: Any) -> Any:
        def get_dummies(*args: Any, **settings: Any) -> Any:
            if len(args) < 8 and settings.get("dtype") is None:
                _note(indicator_columns)
                settings["dtype"] = "uint8"
            return original(*args, **settings)

        return get_dummies

    _replace(pandas, "get_dummies", indicator_columns, make)


@_shim("pandas")
def columns_of_text() -> None:
    """Since pandas 3.0, columns of text have the type str, where they had the type object."""
    import pandas

    if int(pandas.__version__.split(".")[0]) >= 3:
        pandas.set_option("future.infer_string", False)
        _note(columns_of_text)


@_shim("pandas")
def separator_by_position() -> None:
    r"""Since pandas 2.0, read_csv(path, '\t') needs sep= by name."""
    import pandas

    def make(original: Any) -> Any:
        def read_csv(path: Any, *args: Any, **settings: Any) -> Any:
            if args:
                _note(separator_by_position)
                settings.update(zip(("sep", "delimiter", "header", "names"), args, strict=False))
            return original(path, **settings)

        return read_csv

    _replace(pandas, "read_csv", separator_by_position, make)
    _replace(pandas, "read_table", separator_by_position, make)


# What pandas 1 read as missing; "" is among them.
_MISSING = [
    "",
    "#N/A",
    "#N/A N/A",
    "#NA",
    "-1.#IND",
    "-1.#QNAN",
    "-NaN",
    "-nan",
    "1.#IND",
    "1.#QNAN",
    "<NA>",
    "N/A",
    "NA",
    "NULL",
    "NaN",
    "n/a",
    "nan",
    "null",
]


@_shim("pandas")
def the_word_none() -> None:
    """Since pandas 2.0, read_csv reads the word None as missing; the house prices have it."""
    import pandas

    if int(pandas.__version__.split(".")[0]) < 2:
        return

    def make(original: Any) -> Any:
        def read_csv(path: Any, *args: Any, **settings: Any) -> Any:
            more = settings.get("na_values")
            if settings.get("keep_default_na", True) and not isinstance(more, dict):
                _note(the_word_none)
                given = [] if more is None else [more] if isinstance(more, str) else list(more)
                settings.update(keep_default_na=False, na_values=[*_MISSING, *given])
            return original(path, *args, **settings)

        return read_csv

    _replace(pandas, "read_csv", the_word_none, make)
    _replace(pandas, "read_table", the_word_none, make)


@_shim("pandas")
def appended_rows() -> None:
    """Since pandas 2.0, DataFrame.append and Series.append are gone."""
    import pandas

    def append(
        self: Any, other: Any, ignore_index: bool = False, verify_integrity: bool = False
    ) -> Any:
        _note(appended_rows)
        if isinstance(self, pandas.DataFrame):
            if isinstance(other, dict):
                other = pandas.Series(other)
            if isinstance(other, pandas.Series):
                other = other.to_frame().T
        more = other if isinstance(other, list) else [other]
        return pandas.concat(
            [self, *more], ignore_index=ignore_index, verify_integrity=verify_integrity
        )

    for owner in (pandas.DataFrame, pandas.Series):
        if not hasattr(owner, "append"):
            owner.append = append


# matplotlib


def _ignore_line_collection(owner: Any, shim: Callable[[], None]) -> None:
    """Let ``owner.stem`` take the argument that is gone, and do without it."""

    def make(original: Any) -> Any:
        def stem(*args: Any, **settings: Any) -> Any:
            if settings.pop("use_line_collection", None) is not None:
                _note(shim)
            return original(*args, **settings)

        return stem

    _replace(owner, "stem", shim, make)


@_shim("matplotlib")
def line_collections() -> None:
    """Since matplotlib 3.8, stem(use_line_collection=...) is gone."""
    from matplotlib.axes import Axes

    _ignore_line_collection(Axes, line_collections)


@_shim("matplotlib.pyplot")
def stem_of_pyplot() -> None:
    """Since matplotlib 3.8, plt.stem(use_line_collection=...) is gone."""
    from matplotlib import pyplot

    _ignore_line_collection(pyplot, stem_of_pyplot)


@_shim("matplotlib")
def axes_with_a_projection() -> None:
    """Since matplotlib 3.6, gca(projection='3d') is gone; add_subplot does it."""
    from matplotlib.figure import Figure

    def make(original: Any) -> Any:
        def gca(self: Any, **settings: Any) -> Any:
            if settings:
                _note(axes_with_a_projection)
                return self.add_subplot(**settings)
            return original(self)

        return gca

    _replace(Figure, "gca", axes_with_a_projection, make)


@_shim("matplotlib")
def numbers_among_arrays() -> None:
    """Since NumPy 1.24, plot() of numbers mixed with arrays of one number is an error."""
    from matplotlib.axes import Axes

    def make(original: Any) -> Any:
        def plot(self: Any, *args: Any, **settings: Any) -> Any:
            return original(self, *map(as_numbers, args), **settings)

        return plot

    def as_numbers(values: Any) -> Any:
        if not isinstance(values, list | tuple):
            return values
        shapes = [tuple(getattr(value, "shape", ())) for value in values]
        if len(set(shapes)) < 2 or any(math.prod(shape) != 1 for shape in shapes):
            return values
        _note(numbers_among_arrays)
        return [value.item() if hasattr(value, "item") else value for value in values]

    _replace(Axes, "plot", numbers_among_arrays, make)


# IPython


@_shim("IPython.display")
def picture_formats() -> None:
    """Since IPython 9, display.set_matplotlib_formats is gone; matplotlib_inline has it."""
    from IPython import display

    if hasattr(display, "set_matplotlib_formats"):
        return

    def set_matplotlib_formats(*formats: str, **settings: Any) -> None:
        _note(picture_formats)
        from matplotlib_inline.backend_inline import set_matplotlib_formats as choose

        choose(*formats, **settings)

    vars(display)["set_matplotlib_formats"] = set_matplotlib_formats
