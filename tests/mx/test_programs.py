"""Programs are run to their end, their error, or Ctrl-C, in processes of their own.

The front end stays where it was put in a process.
"""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.mx.notebook_files import notebook


def command(*words):
    return subprocess.run(
        [sys.executable, "-m", "divekit", *words], capture_output=True, text=True, check=False
    )


SCRIPT = """%matplotlib inline
import sys
!pip install mxnet
from mxnet import np, npx, autograd
from matplotlib import pyplot as plt
npx.set_np()
num_epochs = 5
x = np.arange(3)
x.attach_grad()
with autograd.record():
    y = (x * x).sum()
y.backward()
print(sys.argv[1:], num_epochs, x.grad, npx.num_gpus(), __name__)
plt.plot(x, x.grad)
plt.show()
plt.plot([1, 2])
get_ipython().run_line_magic("matplotlib", "inline")
"""


def test_a_script_runs_with_its_arguments_and_its_figures_are_saved():
    Path("s.py").write_text(SCRIPT)
    done = command(
        "run", "s.py", "--epochs", "2", "--virtual-gpus", "3", "--out", "o", "--", "--a", "b"
    )
    assert done.returncode == 0, done.stderr
    assert "['--a', 'b'] 2 [0. 2. 4.] 3 __main__" in done.stdout
    assert "s.py, line 3: left out: !pip install mxnet" in done.stdout
    assert "num_epochs = 5 is held to 2" in done.stdout
    assert sorted(path.name for path in Path("o").iterdir()) == ["figure-1.png", "figure-2.png"]


def test_a_script_that_fails_names_its_line():
    Path("s.py").write_text("import sys\ndef f():\n    return d21\nprint('before')\nf()\n")
    for words in (("run", "s.py"), ()):
        if words:
            done = command(*words)
        else:
            done = subprocess.run(
                [sys.executable, "-m", "divekit.mx", "s.py"], capture_output=True, text=True
            )
        assert done.returncode == 4
        assert done.stdout.startswith("before")
        assert done.stderr.rstrip().endswith(
            "divekit: s.py, line 5: NameError: name 'd21' is not defined "
            "(meant is d2l (the letter l))"
        )
    assert not Path("runs").exists()


def test_a_script_that_is_not_python_names_its_line():
    Path("s.py").write_text("a = 1\nb = = 2\n")
    done = command("run", "s.py")
    assert done.returncode == 4
    assert "s.py, line 2: SyntaxError: invalid syntax" in done.stderr


def test_a_notebook_runs_in_its_folder_and_is_written_executed():
    Path("book").mkdir()
    Path("book/data.txt").write_text("42")
    notebook(
        "book/n.ipynb",
        "%matplotlib inline\nfrom mxnet import np\nfrom matplotlib import pyplot as plt\n"
        "print(open('data.txt').read())",
        "plt.plot(np.ones(2))\nplt.show()",
        "np.ones(2) + 1",
        "numbers = {}\nnumbers['a']",
        "print('after')",
    )
    done = command("run", "book/n.ipynb", "--out", "o")
    assert done.returncode == 4
    assert "42" in done.stdout
    assert "array([2., 2.])" in done.stdout
    assert "after" not in done.stdout
    assert "n.ipynb, cell 4, line 2: KeyError: 'a'" in done.stderr
    executed = json.loads(Path("o/n.ipynb").read_text())
    assert executed["cells"][2]["outputs"][0]["data"]["text/plain"] == ["array([2., 2.])"]
    assert Path("o/figure-1.png").read_bytes().startswith(b"\x89PNG")

    done = command("run", "book/n.ipynb", "--out", "p", "--keep-going", "--json")
    assert done.returncode == 4
    facts = json.loads(done.stdout)
    assert "after" in done.stderr
    assert facts["failures"] == ["n.ipynb, cell 4, line 2: KeyError: 'a'"]
    assert facts["figures"] == ["p/figure-1.png"]


@pytest.mark.skipif(os.name == "nt", reason="sends SIGINT")
def test_ctrl_c_ends_a_notebook_in_one_line_and_keeps_what_was_done():
    notebook("n.ipynb", "print(6 * 7)", "import time\nfor _ in range(600):\n    time.sleep(0.1)")
    process = subprocess.Popen(
        [sys.executable, "-m", "divekit", "run", "n.ipynb", "--out", "o"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("[2/2]"):
            process.send_signal(signal.SIGINT)
    told = process.communicate()[1]
    assert process.returncode == 130
    assert told.endswith("divekit: interrupted; o/n.ipynb holds what was done\n")
    assert "Traceback" not in told
    executed = json.loads(Path("o/n.ipynb").read_text())
    assert executed["cells"][0]["outputs"][0]["text"] == ["42\n"]


def test_a_framework_is_chosen_on_the_command_line(divekit):
    Path("c.md").write_text("```python\n#@tab pytorch\n1 / 0\n```\n")
    done = divekit("run", "c.md", "--out", "o")
    assert done.exit_code == 2
    assert "--tab pytorch" in done.stderr
    done = divekit("run", "c.md", "--tab", "pytorch", "--out", "o")
    assert done.exit_code == 4
    assert "c.md, line 3: ZeroDivisionError" in done.stderr
    notebook("n.ipynb", "1")
    for words in (["n.ipynb"], ["3.7"]):
        assert divekit("run", *words, "--tab", "pytorch").exit_code == 2
