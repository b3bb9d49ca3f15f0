"""Each shim brings one old behaviour back, in a process that asks for it and in no other."""

import subprocess
import sys

import pytest

BEFORE = "from divekit.mx import shims; shims.apply_shims()\n"
AFTER = "\nprint('used:', *shims.used(), sep='|')"

# What old code says, and what it printed.
CASES = {
    "numpy_names": (
        "import numpy as np; print(np.bool(1), np.float(2), np.in1d([1], [1]))",
        "True 2.0 [ True]",
    ),
    "ragged_arrays": (
        "import numpy as np; a = np.array([[1, 2], [3]]); print(a.shape, a.dtype)",
        "(2,) object",
    ),
    "plain_scalars": (
        "import numpy as np; np.set_printoptions(3)\n"
        "print((np.float32(0.5), np.int64(2), np.bool_(True)), repr(np.array([1 / 3])))",
        "(0.5, 2, True) array([0.333])",
    ),
    "numbers_of_graphs": (
        "import torch, warnings\ntorch.set_warn_always(True)\n"
        "with warnings.catch_warnings(record=True) as told:\n"
        "    warnings.filters[:] = [one for one in warnings.filters if one[1]]  # not -W ignore\n"
        "    print(float(torch.ones((), requires_grad=True)), len(told))",
        "1.0 0",
    ),
    "mixed_columns": (
        "import pandas as pd\n"
        "frame = pd.DataFrame({'a': [1.0, None, 3.0], 'b': ['x', None, 'y']})\n"
        "print(frame.fillna(frame.mean())['a'].tolist(), list(frame.std().index))",
        "[1.0, 2.0, 3.0] ['a']",
    ),
    "indicator_columns": (
        "import pandas as pd\n"
        "print(pd.get_dummies(pd.Series(['u', None]), dummy_na=True).values.tolist())",
        "[[1, 0], [0, 1]]",
    ),
    "columns_of_text": (
        "import pandas as pd\n"
        "kinds = pd.DataFrame({'a': [1], 'b': ['x']}).dtypes\n"
        "print(list(kinds[kinds != 'object'].index))",
        "['a']",
    ),
    "separator_by_position": (
        "import io, pandas as pd\n"
        "print(pd.read_csv(io.StringIO('1\\t2'), '\\t', names=['a', 'b'], engine='python').values)",
        "[[1 2]]",
    ),
    "the_word_none": (
        "import io, pandas as pd\n"
        "text = 'a,b\\nNone,NA\\n,?\\n'\n"
        "print(pd.read_csv(io.StringIO(text)).isna().values.tolist(),\n"
        "      pd.read_csv(io.StringIO(text), na_values='?').isna().sum().tolist())",
        "[[False, True], [True, False]] [1, 2]",
    ),
    "appended_rows": (
        "import pandas as pd\n"
        "frame = pd.DataFrame({'a': [1]})\n"
        "print(frame.append({'a': 2}, ignore_index=True)['a'].tolist())\n"
        "print(len(frame.a.append(frame.a)))",
        "[1, 2]\n2",
    ),
    "line_collections": (
        "from matplotlib.figure import Figure\n"
        "Figure().subplots().stem([1, 2], use_line_collection=True); print('drawn')",
        "drawn",
    ),
    "numbers_among_arrays": (
        "import numpy as np, torch\n"
        "from matplotlib.figure import Figure\n"
        "x = (-5, np.array([1.5]), torch.tensor([[2.5]]))\n"
        "line, = Figure().subplots().plot(x, [0, 1, 2], '-o', color='r')\n"
        "print(line.get_xdata().tolist(), line.get_ydata().tolist())",
        "[-5.0, 1.5, 2.5] [0, 1, 2]",
    ),
    "stem_of_pyplot": (
        "import matplotlib; matplotlib.use('agg')\n"
        "from matplotlib import pyplot as plt\n"
        "plt.stem([1], use_line_collection=True); print('drawn')",
        "drawn",
    ),
    "axes_with_a_projection": (
        "from matplotlib.figure import Figure; print(Figure().gca(projection='3d').name)",
        "3d",
    ),
    "picture_formats": (
        "from IPython import display; print(callable(display.set_matplotlib_formats))",
        "True",
    ),
}  # fmt: skip


def run(code):
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True
    )


def test_every_shim_has_a_case():
    from divekit.mx import shims

    names = {shim.__name__ for group in shims._SHIMS.values() for shim in group}
    assert names == set(CASES)


@pytest.mark.parametrize("name", CASES)
def test_old_code_prints_what_it_printed(name):
    code, printed = CASES[name]
    done = run(BEFORE + code + AFTER)
    assert done.returncode == 0, done.stderr
    first, used = done.stdout.split("\nused:")
    assert first == printed
    from divekit.mx import shims

    line = (getattr(shims, name).__doc__ or "").split("\n")[0]
    # The first is used when it is called, which takes a kernel; the others are for pandas 3 and
    # NumPy 2.
    if name not in ("picture_formats", "columns_of_text", "plain_scalars"):
        assert line in used


def test_shims_are_for_who_asks():
    """Importing the front end, or installing it, changes no other package."""
    code = (
        "import numpy, divekit.mx, divekit.mx.shims; divekit.mx.install()\n"
        "print(hasattr(numpy, 'float'), 'pandas' in __import__('sys').modules)"
    )
    assert run(code).stdout == "False False\n"


def test_what_the_shims_leave_alone():
    code = BEFORE + (
        "import numpy as np, pandas as pd\n"
        "try: np.array([[1, 2], [3]], dtype=float)\n"
        "except ValueError: print('refused')\n"
        "try: pd.DataFrame({'a': ['x']}).mean(numeric_only=False)\n"
        "except TypeError: print('refused')\n"
        "print(pd.get_dummies(['u'], dtype=bool).dtypes.iloc[0], np.array([1, 2]).sum())\n"
    )
    assert run(code).stdout.split() == ["refused", "refused", "bool", "3"]
