"""How lives end: from an exception or a wait status to an `ExitSnapshot`."""

import signal as signals

from .errors import OsProcessDiedError
from .snapshot import ExitKind, ExitSnapshot


def describe(error: BaseException) -> str:
    """Give an exception as one line: its class and its text."""
    text = text_of(error)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def text_of(error: BaseException) -> str:
    """Give an exception's text, whatever its `__str__` does."""
    try:
        return _as_unicode(str(error))
    except Exception as broken:  # an error that cannot say what it is must still get to whoever waits for it
        return f"<{type(error).__name__} without a text: {type(broken).__name__}>"


def exit_of(reason: ExitKind, error: BaseException | None, at: str) -> ExitSnapshot:
    """Give the exit of an actor that ended by `reason` with `error`, at the time `at`."""
    text = None if error is None else describe(error)
    if isinstance(error, OsProcessDiedError):
        # An actor that stands for a process ends as that did.
        reason = "killed" if error.signal is not None and reason == "failed" else reason
        return ExitSnapshot(reason, signal=error.signal, exit_code=error.exit_code, at=at, error=text)
    return ExitSnapshot(reason, at=at, error=text)


def exit_of_status(status: int | None, at: str, *, error: str | None = None) -> ExitSnapshot:
    """Give the exit of a process by its status: negative for a signal, None where it is not known."""
    if status is None:
        return ExitSnapshot("unknown", at=at, error=error)
    if status < 0:
        return ExitSnapshot("killed", signal=signal_name(-status), at=at, error=error)
    return ExitSnapshot("normal" if status == 0 else "failed", exit_code=status, at=at, error=error)


def signal_name(number: int) -> str:
    """Give a signal's name, such as SIGKILL."""
    try:
        return signals.Signals(number).name
    except ValueError:
        return f"SIG{number}"


def _as_unicode(text: str) -> str:
    # Names of files may hold what is no character, and msgpack and JSON take characters only.
    return text.encode("utf-8", "backslashreplace").decode()
