"""The names ``mxnet`` and ``d2l``: found after install(), and never before."""

import functools
import importlib.util
import subprocess
import sys

import pytest

from divekit import mx
from divekit.errors import UsageError
from divekit.mx import installing


@pytest.fixture(autouse=True)
def taken_back():
    yield
    installing.uninstall()


def test_an_import_of_ours_installs_nothing():
    code = "import sys, divekit.mx, divekit.mx.np; print('mxnet' in sys.modules); import mxnet"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "False\n"
    assert "No module named 'mxnet'" in done.stderr


def test_modules_are_ours_under_mxnets_names():
    installing.install()
    import mxnet
    import mxnet.numpy_extension as npx
    from mxnet import autograd, np
    from mxnet.base import MXNetError
    from mxnet.numpy import random

    import divekit.mx as ours
    import divekit.mx.np.random as our_random

    assert mxnet is ours
    assert np is ours.np
    assert npx is ours.npx
    assert autograd is ours.autograd
    assert random is our_random
    assert MXNetError is ours.MXNetError
    assert ours.__spec__.name == "divekit.mx"  # a second name changes nothing of the module
    assert sys.modules["mxnet.numpy"] is ours.np


def test_a_part_that_is_not_here_is_an_import_error_that_says_so():
    installing.install()
    with pytest.raises(ModuleNotFoundError, match=r"mxnet.onnx is not part of divekit.mx"):
        importlib.import_module("mxnet.onnx")


def test_uninstall_takes_the_names_back():
    installing.install()
    importlib.import_module("mxnet.np")
    assert installing.is_installed()
    installing.uninstall()
    assert not installing.is_installed()
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("mxnet")


def test_a_real_mxnet_is_left_alone_unless_told(tmp_path, monkeypatch):
    (tmp_path / "mxnet.py").write_text("real = True\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(UsageError, match="install\\(replace=True\\)"):
        installing.install()
    installing.install(replace=True)
    import mxnet

    assert mxnet.__name__ == "divekit.mx"
    installing.uninstall()
    sys.modules["mxnet"] = real = importlib.import_module("mxnet")
    assert real.real
    with pytest.raises(UsageError, match="imported already"):
        installing.install()
    del sys.modules["mxnet"]


def test_an_installed_d2l_can_be_left_to_itself(tmp_path, monkeypatch):
    (tmp_path / "d2l").mkdir()
    (tmp_path / "d2l" / "__init__.py").write_text("whose = 'theirs'\n")
    monkeypatch.syspath_prepend(tmp_path)
    installing.install(d2l=False)
    assert importlib.import_module("d2l").whose == "theirs"
    installing.install()
    assert importlib.import_module("d2l").__name__ == "divekit.d2l"


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("sym", "torch.export"),
        ("symbol", "torch.export"),
        ("io", "DataLoader"),
        ("onnx", "torch.onnx"),
        ("gluon.contrib", "torch.nn"),
        ("image.ImageIter", "ImageFolderDataset"),
        ("image.imrotate", "torchvision"),
        ("image.HorizontalFlipAug", "transforms"),
        ("gluon.data.vision.transforms.RandomRotation", "torchvision"),
    ],
)
def test_parts_of_mxnets_that_are_missing_say_what_there_is_instead(place, said):
    *path, name = place.split(".")
    owner = functools.reduce(getattr, path, mx)
    with pytest.raises(NotImplementedError, match=rf"{name} is not part of divekit.mx.*{said}"):
        getattr(owner, name)
    assert not hasattr(owner, name)
    with pytest.raises(AttributeError, match="has no attribute 'qwerty'"):
        _ = owner.qwerty
