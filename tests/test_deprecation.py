import sys
import types

import pytest

from divekit.deprecation import old_names
from divekit.evaluate import accuracy


@pytest.fixture
def part(monkeypatch):
    module = types.ModuleType("a_part")
    module.__path__ = []  # a package: imports from it ask twice
    module.__getattr__ = old_names("a_part", {"mean_accuracy": "divekit.evaluate.accuracy"})
    monkeypatch.setitem(sys.modules, "a_part", module)
    return module


def test_an_old_name_gives_the_new_one_and_warns_where_it_is_used(part):
    for use in ("import a_part; found = a_part.mean_accuracy", "from a_part import mean_accuracy"):
        with pytest.warns(DeprecationWarning, match=r"divekit\.evaluate\.accuracy now") as warned:
            exec(compile(use, "a_user.py", "exec"), names := {})
        assert names.get("found", names.get("mean_accuracy")) is accuracy
        assert {warning.filename for warning in warned} == {"a_user.py"}


def test_any_other_name_is_missing_as_before(part):
    with pytest.raises(AttributeError, match=r"^module 'a_part' has no attribute 'nonsense'$"):
        part.nonsense  # noqa: B018
    assert not hasattr(part, "mean_loss")
