"""How lives end, as data that can always be shown and sent."""

import msgspec
import pytest

from actors.runtime.errors import OsProcessDiedError
from actors.runtime.exits import describe, exit_of, exit_of_status, signal_name, text_of


class MuteError(Exception):
    """Cannot say what it is."""

    def __str__(self):
        raise RuntimeError("no")


@pytest.mark.parametrize(
    ("status", "reason", "signal", "code"),
    [
        (0, "normal", None, 0),
        (3, "failed", None, 3),
        (-9, "killed", "SIGKILL", None),
        (-11, "killed", "SIGSEGV", None),
        (-99, "killed", "SIG99", None),
        (None, "unknown", None, None),
    ],
)
def test_a_status_says_how_a_process_ended(status, reason, signal, code):
    ended = exit_of_status(status, "now")

    assert (ended.reason, ended.signal, ended.exit_code, ended.at) == (reason, signal, code, "now")


def test_an_actor_that_stands_for_a_process_ends_as_that_did():
    ended = exit_of("failed", OsProcessDiedError("xi", 5, signal="SIGSEGV"), "now")

    assert (ended.reason, ended.signal, ended.error) == (
        "killed",
        "SIGSEGV",
        "OsProcessDiedError: xi (pid 5) was killed by SIGSEGV",
    )


@pytest.mark.parametrize(
    ("error", "line", "text"),
    [
        (ValueError("x"), "ValueError: x", "x"),
        (ValueError(), "ValueError", ""),
        (OSError("no file a\udc80b"), "OSError: no file a\\udc80b", "no file a\\udc80b"),
        (SyntaxError("bad"), "SyntaxError: bad", "bad"),
    ],
)
def test_an_error_is_told_in_characters_that_can_be_sent(error, line, text):
    assert describe(error) == line
    assert text_of(error) == text
    msgspec.json.encode([describe(error), text_of(error)])


def test_an_error_that_cannot_say_what_it_is_is_named():
    assert "MuteError" in describe(MuteError())
    assert text_of(MuteError()) == "<MuteError without a text: RuntimeError>"


def test_a_signal_has_a_name():
    assert signal_name(15) == "SIGTERM"
    assert signal_name(200) == "SIG200"
