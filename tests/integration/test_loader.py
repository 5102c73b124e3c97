"""The loader's parent is not held up by a loader that does not read, however large what it is asked."""

import time

import pytest

from actors.runtime import ChildSpec, SupervisorSpec
from actors.runtime.errors import StartError
from actors.runtime.loading.loader import check_spec
from tests.support.wardens import CONDUCTOR, ROOT

SLEEP_AT_START = """
import sys, threading
if "actors.runtime.loading" in " ".join(sys.orig_argv):
    threading.Event().wait(20)
"""


def tree_of(count):
    return SupervisorSpec("root", [ChildSpec(f"child-{number}", CONDUCTOR, process=True) for number in range(count)])


def test_a_loader_that_does_not_read_a_large_question_is_ended_in_time(tmp_path, monkeypatch):
    (tmp_path / "sitecustomize.py").write_text(SLEEP_AT_START)
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{ROOT}")
    began = time.monotonic()
    with pytest.raises(StartError, match="within 1 s"):
        check_spec(tree_of(1000), (), whose="tree", timeout_s=1.0)

    assert time.monotonic() - began < 5.0


def test_a_large_tree_is_given_back_as_it_was():
    tree = tree_of(1000)

    assert check_spec(tree, (str(ROOT),), whose="tree", timeout_s=20.0) == tree
