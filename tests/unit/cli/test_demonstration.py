"""The demo's own parts: what must come out is the same that the extension makes, by another way."""

import importlib.util

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.runtime.control import words
from actors.runtime.event import Event
from symphony.cli.demonstration.healing import Fault, Victim
from symphony.cli.demonstration.sample import UNTIDY, repository, sample_text, tidied
from symphony.cli.errors import FailedError
from tests.unit.cli.fake_kernel import FakeKernel, answering


@pytest.fixture(scope="module")
def extension():
    spec = importlib.util.spec_from_file_location("tidy_sample", repository() / "examples/extensions/tidy/tidy.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Tidy()


@given(text=st.text(alphabet="ab \t\r\n", max_size=60))
def test_the_expected_text_is_what_the_extension_gives(extension, text):
    assert extension.tidy(text)["text"] == tidied(text)


def test_the_sample_has_something_to_tidy():
    text = sample_text(repository())

    assert text.endswith(UNTIDY)
    assert len(tidied(text)) < len(text)


def events(*rows):
    return [Event(number, float(at), type_, path, "kernel", fields) for number, (at, type_, path, fields) in enumerate(rows, 1)]


def watch(run_dir, batches, victims, said):
    with FakeKernel(run_dir, answering(events=[words.Events(batch) for batch in batches])):
        with Fault(run_dir, victims, step="tidy", report=said.append) as fault:
            pass
        return fault


def test_a_process_that_had_ended_by_itself_is_no_fault(run_dir):
    """The fake kernel's first batch stands for what was kept; the fault begins with an event that comes later."""
    started = events((1, "step.started", "/engine/core", {"step": "tidy"}))
    fault = watch(run_dir, [[], started], [Victim("/xi", 2**22 + 1, "the editor")], [])

    with pytest.raises(FailedError, match="had ended by itself"):
        fault.outcome()


def test_events_that_end_too_early_are_a_failure(run_dir):
    fault = watch(run_dir, [[], events((1, "step.started", "/engine/core", {"step": "open"})), []], [Victim("/xi", 0, "xi")], [])

    with pytest.raises(FailedError, match="not seen to be ready again: xi"):
        fault.outcome()
