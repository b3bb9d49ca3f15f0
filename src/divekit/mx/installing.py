"""``install``: afterwards ``import mxnet`` and ``from d2l import mxnet`` find this front end.

It goes through the import system and nothing else: a finder knows the two names, and gives the
modules of ``divekit.mx`` and ``divekit.d2l`` for them. It is never put there by an import.
"""

import importlib
import importlib.util
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

from divekit.errors import UsageError

MXNET, D2L = "divekit.mx", "divekit.d2l"


def install(*, shims: bool = False, d2l: bool = True, replace: bool = False) -> None:
    """Let this process's ``import mxnet``, and ``import d2l``, find divekit's.

    Called twice it does nothing more. In a notebook it is the first cell.

    Args:
        shims: also apply the shims for code written for older pandas, matplotlib, IPython and
            NumPy (``divekit.mx.shims``), which change those packages for the whole process.
        d2l: also answer for the package ``d2l``. An installed one still gives the names that
            divekit lacks. False leaves an installed one to itself.
        replace: do it where the real MXNet is installed, too.

    Raises:
        UsageError: MXNet is installed and ``replace`` is not given, or it is imported already.
    """
    if not _is_ours("mxnet", MXNET):
        if "mxnet" in sys.modules:
            raise UsageError(
                "mxnet is imported already; call divekit.mx.install() before the first import of it"
            )
        if not replace and _is_there("mxnet"):
            raise UsageError(
                "the real mxnet is installed here; install(replace=True) hides it in this process"
            )
    targets = {"mxnet": MXNET, **({"d2l": D2L} if d2l else {})}
    for finder in sys.meta_path:
        if isinstance(finder, _Finder):
            finder.targets.update(targets)
            break
    else:
        sys.meta_path.insert(0, _Finder(targets))
    if d2l and not _is_ours("d2l", D2L):
        for name in [name for name in sys.modules if name == "d2l" or name.startswith("d2l.")]:
            del sys.modules[name]  # an installed one; the next import of it asks the finder
    if shims:
        from divekit.mx.shims import apply_shims

        apply_shims()


def uninstall() -> None:
    """Take the names ``mxnet`` and ``d2l`` back; what was imported stays usable."""
    for finder in [finder for finder in sys.meta_path if isinstance(finder, _Finder)]:
        sys.meta_path.remove(finder)
        for top, target in finder.targets.items():
            for name in list(sys.modules):
                if name.split(".")[0] == top and _is_ours(name, target):
                    del sys.modules[name]


def is_installed() -> bool:
    """Tell whether ``import mxnet`` finds divekit's now."""
    return any(isinstance(finder, _Finder) for finder in sys.meta_path)


def _is_there(name: str) -> bool:
    """Look for a package where Python does, past our own finder."""
    for finder in sys.meta_path:
        if not isinstance(finder, _Finder):
            spec = finder.find_spec(name, None, None)
            if spec is not None:
                return True
    return False


def _is_ours(name: str, target: str) -> bool:
    module = sys.modules.get(name)
    return module is not None and module.__name__.startswith(target)


class _Finder(MetaPathFinder):
    """Finds ``mxnet.gluon.nn`` as ``divekit.mx.gluon.nn``, and so on."""

    def __init__(self, targets: dict[str, str]) -> None:
        self.targets = targets

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        top, _, rest = name.partition(".")
        if top not in self.targets:
            return None
        ours = _our_name(self.targets[top], rest)
        if importlib.util.find_spec(ours) is None:
            raise ModuleNotFoundError(
                f"{name} is not part of {self.targets[top]}; "
                "`divekit run --explain FILE` shows what a program uses, and PyTorch's way",
                name=name,
            )
        return ModuleSpec(name, _Loader(ours), is_package=True)


def _our_name(package: str, rest: str) -> str:
    """Give the full name of our module for MXNet's: ``ndarray`` is ``divekit.mx.nd``."""
    if not rest:
        return package
    if package == MXNET:
        from divekit.mx import PARTS

        first, dot, deeper = rest.partition(".")
        rest = PARTS.get(first, first) + dot + deeper
    return f"{package}.{rest}"


class _Loader(Loader):
    """Puts a module of ours under another name as well; it stays one module."""

    def __init__(self, ours: str) -> None:
        self.ours = ours

    def exec_module(self, module: ModuleType) -> None:
        # What lies in sys.modules after the loading is what the import gives.
        sys.modules[module.__name__] = importlib.import_module(self.ours)
