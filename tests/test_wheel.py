"""The wheel, installed into an empty environment, does what a user does first."""

import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.mark.slow
@pytest.mark.skipif(not (ROOT / "pyproject.toml").exists(), reason="needs the checkout")
def test_the_wheel_installs_into_an_empty_environment_and_runs_a_section(tmp_path):
    def call(*words, cwd=tmp_path):
        done = subprocess.run(
            [str(word) for word in words], cwd=cwd, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    call(sys.executable, "-m", "build", "--wheel", "--outdir", tmp_path / "dist", ROOT)
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    venv.create(tmp_path / "venv", with_pip=True)
    python = tmp_path / "venv" / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    call(python, "-m", "pip", "install", "-qq", "--constraint", ROOT / "constraints.txt", wheel)
    # No extra is installed: the section runs, and says that its picture is left out.
    output = call(python, "-m", "divekit", "run", "3.3")
    assert "reaches the goal" in output
    assert "pip install 'divekit[plot]'" in output
    assert "3.7" in call(python, "-m", "divekit", "list")
    assert call(python, "-m", "divekit", "notebook", "3.7").endswith(".ipynb\n")
    files = call(
        python,
        "-c",
        "import divekit, pathlib; print(*pathlib.Path(divekit.__file__).parent.rglob('*'))",
    )
    assert "py.typed" in files
