"""Programs are read, changed where they must be, and explained."""

import json
from pathlib import Path

import pytest

from divekit.errors import BadDataError, UsageError
from divekit.mx.programs import explain
from divekit.mx.programs.changes import blank_magics, prepare
from divekit.mx.programs.hints import hint_for
from divekit.mx.programs.reading import read_program
from tests.mx.notebook_files import notebook

CHAPTER = """# Lines

Some prose.

```{.python .input  n=1}
#@tab mxnet, pytorch
one = 1
```

~~~~python
two = one + 1
```
~~~~

```{.python .input}
#@tab pytorch
import nowhere
```

```bash
rm -rf nothing
```

```
no language
```
   ```python
   three = 3
   ```
"""


def test_fences_of_a_chapter_are_cells():
    Path("chapter.md").write_text(CHAPTER)
    cells = read_program(Path("chapter.md"))
    code = [(cell.text, cell.line) for cell in cells if cell.kind == "code"]
    assert code == [
        ("#@tab mxnet, pytorch\none = 1\n", 6),
        ("two = one + 1\n```\n", 11),
        ("three = 3\n", 28),
    ]
    prose = "\n".join(cell.text for cell in cells if cell.kind == "markdown")
    assert "import nowhere" in prose
    assert "rm -rf" in prose
    lines = CHAPTER.splitlines()
    for text, line in code:
        assert lines[line - 1].strip() == text.splitlines()[0]


@pytest.mark.parametrize(
    ("tab", "run"),
    [("mxnet", ["both", "rest"]), ("pytorch", ["both", "torch", "every"])],
)
def test_a_chapter_for_several_frameworks_gives_the_listings_of_one(tab, run):
    tags = {"both": "mxnet, pytorch", "torch": "pytorch", "flow": "tensorflow", "every": "all"}
    fences = [f"```python\n#@tab {tag}\n{name}\n```" for name, tag in tags.items()]
    fences.append("```python\nrest\n```")
    Path("c.md").write_text("\n\n".join(fences))
    cells = [cell for cell in read_program(Path("c.md"), tab) if cell.kind == "code"]
    assert {cell.text.split()[-1] for cell in cells} == {*run, "every"}
    with pytest.raises(UsageError, match="--tab mxnet or --tab pytorch or --tab tensorflow"):
        read_program(Path("c.md"), "jax")
    for name, tag in tags.items():
        Path(f"{name}.md").write_text(f"```python\n#@tab {tag}\n{name}\n```\n")
    with pytest.raises(UsageError, match=r"torch\.md has no listings for mxnet.*--tab pytorch$"):
        read_program(Path("torch.md"))
    Path("no.md").write_text("Prose.\n\n```python\nrest\n```\n")
    for path in ("every.md", "no.md"):  # nothing in them is for one framework alone
        assert "code" in [cell.kind for cell in read_program(Path(path), tab)]


def test_cells_of_old_and_new_notebooks():
    notebook("new.ipynb", ["a = 1\n", "b = 2"], "c = 3")
    assert [cell.text for cell in read_program(Path("new.ipynb"))] == ["a = 1\nb = 2", "c = 3"]
    old = {"worksheets": [{"cells": [{"cell_type": "code", "input": ["a = 1"]}]}], "nbformat": 3}
    Path("old.ipynb").write_text(json.dumps(old))
    assert [cell.text for cell in read_program(Path("old.ipynb"))] == ["a = 1"]


@pytest.mark.parametrize(
    "text", ["{", "[]", "{}", '{"cells": [{"cell_type": "code"}]}', '{"cells": 3}']
)
def test_what_is_no_notebook_is_named(text):
    Path("bad.ipynb").write_text(text)
    with pytest.raises(BadDataError, match=r"bad\.ipynb is not a notebook"):
        read_program(Path("bad.ipynb"))


def test_files_that_cannot_be_read_are_named():
    with pytest.raises(UsageError, match=r"there is no file x\.md"):
        read_program(Path("x.md"))
    Path("x.txt").write_text("")
    with pytest.raises(UsageError, match="none of"):
        read_program(Path("x.txt"))
    Path("x.py").write_bytes(b"\xff\xfe")
    with pytest.raises(BadDataError, match="UTF-8"):
        read_program(Path("x.py"))


@pytest.mark.parametrize(
    "line",
    [
        "!pip install mxnet==1.7.0",
        "%pip install -U d2l",
        "  ! pip3 install d2l",
        "!{sys.executable} -m pip install d2l",
        "!python -m pip install d2l",
        "!sudo apt-get install x",
        "!conda install y",
    ],
)
def test_lines_that_install_are_left_out(line):
    text, (change,) = prepare(f"a = 1\n{line}\nb = 2")
    assert change.line == 2
    assert "left out" in change.what
    assert text.splitlines()[1].strip().startswith("pass")
    exec(text.replace("  pass", "pass"), names := {})
    assert names["b"] == 2


def test_lines_that_do_not_install_stay():
    for text in ("!nvidia-smi", "%matplotlib inline", "pip = 3", "x = '!pip install y'"):
        assert prepare(text) == (text, [])


def test_a_long_install_line_is_left_out_whole():
    text, changes = prepare("!pip install a \\\n  b \\\n  c\nx = 1")
    assert len(changes) == 1
    assert text.count("\n") == 3
    exec(text, names := {})
    assert names["x"] == 1


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("num_epochs = 10", {"num_epochs": 2}),
        ("num_epochs, lr = 10, 0.5", {"num_epochs": 2, "lr": 0.5}),
        ("lr, num_epochs, size = 0.5, 3 * 5, 256", {"lr": 0.5, "num_epochs": 2, "size": 256}),
        ("num_epochs = 1", {"num_epochs": 1}),
        ("epochs: int = 7", {"epochs": 2}),
        ("é, num_epochs = 'ü', 10", {"num_epochs": 2, "é": "ü"}),
        ("a = num_epochs = 9", {"num_epochs": 2}),
        ("(num_epochs, a), b = (10, 1), 2", {"num_epochs": 2, "a": 1, "b": 2}),
        ("def f(a, num_epochs=9): return num_epochs\nb = f(1)", {"b": 2}),
        ("def f(a, *, epochs=9, c=5): return epochs + c\nb = f(1)", {"b": 7}),
        ("def f(a, num_epochs=None): return num_epochs\nb = f(1)", {"b": None}),
        ("b = dict(num_epochs=7, lr=3)", {"b": {"num_epochs": 2, "lr": 3}}),
        ("c = 9\nb = dict(num_epochs=c)", {"b": {"num_epochs": 9}, "c": 9}),
        ("my_epochs_done = 10", {"my_epochs_done": 10}),
    ],
)
def test_epochs_are_capped_where_they_are_assigned(line, expected):
    text, changes = prepare(f"%matplotlib inline\n{line}", epochs=2)
    exec(blank_magics(text), names := {})
    assert {name: names[name] for name in expected} == expected
    assert all(change.line == 2 for change in changes)


def test_magics_are_blanked_and_python_is_not():
    text = "%matplotlib inline\nif True:\n    !ls\n    files = !ls\nx = 7 %3\ny = 7 \\\n% 4"
    exec(blank_magics(text), names := {})
    assert (names["x"], names["y"]) == (1, 3)
    assert blank_magics("%%bash\nrm x\n") == "\n\n"


def test_hints():
    assert "d2l" in hint_for("NameError", "name 'd21' is not defined")
    assert "d2l" in hint_for("ModuleNotFoundError", "No module named 'd21'")
    assert "3.2" in hint_for("NameError", "name 'data_iter' is not defined")
    assert hint_for("NameError", "name 'q' is not defined") is None
    assert "weights_only=False" in hint_for("UnpicklingError", "Weights only load failed. This")
    assert "try_gpu" in hint_for("AssertionError", "Torch not compiled with CUDA enabled")
    for line, said in [
        ("from divekit.d2l import pytorch", "from d2l import torch"),
        ("from divekit.d2l.torch import train_ch99", "pip install 'divekit[book]'"),
    ]:
        with pytest.raises(ImportError) as caught:
            exec(line, {})
        assert said in (hint_for("ImportError", str(caught.value)) or "")
    told = "operator torchvision::nms does not exist"
    assert "built for another torch" in hint_for("RuntimeError", told)
    missing = "No module named 'torchvision'"
    assert "pip install torchvision" in hint_for("ModuleNotFoundError", missing)
    assert hint_for("TypeError", "name 'd21' is not defined") is None


# Explaining


def explained(text):
    Path("p.py").write_text(text)
    return {use.name: use for use in explain(Path("p.py"))}


def test_every_name_is_explained_by_its_full_path():
    uses = explained(
        "import mxnet as mx\nfrom mxnet import np, npx, autograd, gluon, init\n"
        "from mxnet.gluon import nn as layers, loss as gloss\nfrom mxnet.gluon.nn import Dense\n"
        "npx.set_np()\nx = np.random.normal(0, 1, (2, 3))\nx.attach_grad()\n"
        "net = layers.Dense(3); net.initialize(init.Xavier(), ctx=mx.gpu(0))\nDense(2)\n"
        "mx.np.concatenate([x])\nwith autograd.record():\n    y = gloss.L2Loss()(net(x), x)\n"
        "gluon.Trainer(net.collect_params(), 'sgd')\nx.asnumpy()\n"
    )
    assert uses["gluon.nn.Dense"].torch.startswith("nn.Linear(")
    assert uses["gluon.nn.Dense"].places == ["line 8", "line 9"]
    assert uses["np.random.normal"].torch == "loc + scale * torch.randn(size)"
    assert uses["np.concatenate"].torch.startswith("torch.cat")
    assert uses["npx.gpu"].places == ["line 8"]
    assert uses["gluon.loss.L2Loss"].remark == "MXNet's has the factor 1/2"
    assert uses[".attach_grad"].torch == "x.requires_grad_()"
    expected = {"autograd.record", "gluon.Trainer", "init.Xavier", "npx.set_np", ".asnumpy"}
    assert expected <= set(uses)
    assert not {"np", "np.random", "gluon.nn", "gluon"} & set(uses)


def test_numpys_own_np_is_not_mxnets():
    assert "np.dot" not in explained("from mxnet import np\nimport numpy as np\nnp.dot(1, 2)")


def test_every_public_name_of_the_front_end_has_an_equivalent_or_says_nothing_wrong():
    """An expression that begins with torch. names something that torch has."""
    import re

    import torch

    from divekit.mx.programs import migration

    for name, entry in migration._table().items():
        expression = entry if isinstance(entry, str) else entry[0]
        for path in re.findall(r"(?<![\w.])torch\.([\w.]+)", expression):
            owner = torch
            for part in path.split("."):
                assert hasattr(owner, part), (name, path)
                owner = getattr(owner, part)
        for path in re.findall(r"(?<![\w.])nn\.(\w+)", expression):
            assert hasattr(torch.nn, path), (name, path)
        for path in re.findall(r"(?<![\w.])F\.(\w+)", expression):
            assert hasattr(torch.nn.functional, path), (name, path)


def test_a_program_that_is_not_python_is_named_with_its_line():
    notebook("n.ipynb", "a = 1", "b = 1\nb = = 2")
    with pytest.raises(BadDataError, match=r"n.ipynb, cell 2, line 2: invalid syntax"):
        explain(Path("n.ipynb"))


def test_the_command_line_explains(divekit):
    Path("p.md").write_text("```python\nfrom mxnet import np\nnp.dot(1, 2)\n```\n")
    result = divekit("run", "p.md", "--explain")
    assert result.exit_code == 0
    assert "np.dot  a @ b" in result.stdout
    assert "line 3" in result.stdout
    (use,) = json.loads(divekit("run", "p.md", "--explain", "--json").stdout)
    assert use["torch"] == "a @ b"
    assert divekit("run", "p.md", "--sample").exit_code == 2
    assert "is a section" in divekit("run", "3.7", "--explain").stderr


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        '{"cells": ' * 5_000,
        json.dumps({"cells": [{"cell_type": "code", "source": "x = '\ud800'"}]}),
    ],
    ids=["lists", "objects", "half a letter"],
)
def test_a_notebook_that_no_notebook_can_be_is_refused(tmp_path, text):
    (tmp_path / "x.ipynb").write_text(text)
    with pytest.raises(BadDataError, match=r"x\.ipynb is not a notebook"):
        read_program(tmp_path / "x.ipynb")


@pytest.mark.parametrize("text", ["not " * 5_000 + "x", "-" * 100_000 + "1", "x = '\0'"])
def test_code_that_python_cannot_take_in_is_left_to_python(tmp_path, text):
    assert prepare(text, epochs=1) == (text, [])
    (tmp_path / "x.py").write_text(text)
    with pytest.raises(BadDataError, match=r"x\.py, line 1"):
        explain(tmp_path / "x.py")


def test_lines_of_old_macs_are_lines(tmp_path):
    cells = [{"cell_type": "code", "source": "x = 1\r\rnum_epochs = 3\r\ny = 2"}]
    (tmp_path / "x.ipynb").write_text(json.dumps({"cells": cells}))
    (cell,) = read_program(tmp_path / "x.ipynb")
    text, (change,) = prepare(cell.text, epochs=1)
    assert (change.line, text.split("\n")[2]) == (3, "num_epochs = min(1, 3)")
