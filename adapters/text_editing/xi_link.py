"""XiLink: an XI-editor's process and the conversation with it, as the proxy actor wants it; see `actors.xi_proxy.link`.

Any core that speaks xi's frontend protocol will do. Our own answers `edit` and `save` where it is asked to; a core that does not
is sent notifications, each followed by a question whose answer, by xi's order of things, comes after their effect.

Each view is set up to write what it is given: no pairs put round a selection, no newline added to a file, no soft wrap, which
would make lines of the screen out of lines of the text.
"""

import threading
from collections import deque
from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path
from shlex import join
from signal import Signals
from time import monotonic
from typing import Any, Final, NamedTuple, TypeVar

import msgspec
import structlog

from actors.runtime.errors import OsProcessDiedError, StartError
from actors.xi_proxy.link import Place, XiMuteError, XiRefusedError
from adapters.text_editing.xi_process import XiProcess
from xi.protocol import (
    INVALID_REQUEST,
    Alert,
    Chars,
    EditOut,
    Gesture,
    GestureKind,
    LineCache,
    LineCacheError,
    Malformed,
    ModifyUserConfig,
    NewView,
    Notification,
    Peer,
    Request,
    RequestError,
    Response,
    Save,
    SaveResult,
    Select,
    SelectExtend,
    UpdateParams,
    ViewOnly,
)

PATIENCE_S: Final = 2.0
"""How long an editor may neither take nor give a byte while it owes an answer."""

_MOST_PATIENCE: Final = 10  # times `PATIENCE_S` for one answer, however lively
_NO_VIEW: Final = "view-id-0"  # the numbers of views begin with 1
_AS_GIVEN: Final[dict[str, object]] = {"surrounding_pairs": [], "save_with_newline": False, "word_wrap": False}
_LOG_TAIL: Final = 2000

Result = TypeVar("Result")


class _End(NamedTuple):
    """How the process ended: by a signal, with an exit code, or (both None) nobody knows."""

    signal: str | None
    exit_code: int | None


_log = structlog.get_logger("adapters.text_editing.xi")


class XiLinks(msgspec.Struct, frozen=True):
    """Makes links to one command: see `XiProcess` for what its process is given."""

    command: tuple[str, ...]
    environment: Mapping[str, str] | None = None
    log_file: str | None = None
    patience_s: float = PATIENCE_S

    def __call__(self, on_death: Callable[[OsProcessDiedError], None]) -> "XiLink":
        """Give a link that has not been started."""
        return XiLink(self, on_death)


class XiLink:
    """A link. One thread calls it; `on_death` is called by the thread of the process."""

    def __init__(self, settings: XiLinks, on_death: Callable[[OsProcessDiedError], None]) -> None:
        self.command = join(settings.command)
        self._settings = settings
        self._on_death = on_death
        self._process: XiProcess | None = None
        self._is_stopping = False
        self._has_answers = False
        # What follows is shared with the thread of the process, and touched under the condition's lock only.
        self._changed = threading.Condition()
        self._peer = Peer()
        self._answers: dict[int, Response] = {}
        self._lines: dict[str, LineCache] = {}
        self._alerts: deque[str] = deque(maxlen=10)
        self._ended: _End | None = None

    @property
    def pid(self) -> int:
        """The process, once `start` has been called."""
        return 0 if self._process is None else self._process.pid

    def start(self, timeout_s: float) -> None:
        """Start the process and wait until it answers. Raises `StartError`; nothing is left running then."""
        settings = self._settings
        try:
            self._process = XiProcess(
                settings.command,
                environment=settings.environment,
                log_file=settings.log_file,
                on_bytes=self._take,
                on_end=self._end,
            )
        except OSError as error:
            advice = "check that the command is right, and that its program is installed and may be run"
            raise StartError(f"{self.command}: the editor cannot be started: {error}; {advice}") from error
        self._process.begin()
        try:
            self._notify("client_started", {"symphony": 1})
            # Of a view that does not exist: whoever knows no such request says so first.
            self._has_answers = self._refusal("save", Save(_NO_VIEW, ""), timeout_s) != INVALID_REQUEST
        except (OsProcessDiedError, XiMuteError) as error:
            self.stop(0)
            raise StartError(f"{error} while it was being started{self._log_end()}") from error

    def open(self, path: str | None) -> str:
        """Open a view on a file, or on an empty text, and give its id. Raises `XiRefusedError`."""
        view = self._request("new_view", NewView(path), str)
        self._notify("modify_user_config", ModifyUserConfig({"user_override": view}, _AS_GIVEN))
        return view

    def contents(self, view: str) -> str:
        """Give the whole text, without a byte order mark that the file begins with."""
        return self._request("debug_get_contents", ViewOnly(view), str)

    def line(self, view: str, index: int) -> tuple[int, str | None]:
        """Give the number of lines, and line `index` with its newline, or None where only the editor knows it."""
        with self._changed:
            lines = self._lines.get(view)
            if lines is None or index >= len(lines):
                return (0 if lines is None else len(lines)), None
            found = lines.line(index)
            return len(lines), None if found is None else found.text

    def replace(self, view: str, start: Place, end: Place, text: str) -> None:
        """Put `text` in the place of what lies between two places that do not cut a grapheme; one step for `undo`."""
        self._gesture(view, start, GestureKind(select=Select()))
        if start != end:
            self._gesture(view, end, GestureKind(select_extend=SelectExtend()))
        if text:
            self._edit(EditOut("insert", view, Chars(text)))
        elif start != end:
            self._edit(EditOut("delete_backward", view))

    def undo(self, view: str) -> None:
        """Take the last step back, where there is one."""
        self._edit(EditOut("undo", view))

    def redo(self, view: str) -> None:
        """Make the last step that was taken back again, where there is one."""
        self._edit(EditOut("redo", view))

    def save(self, view: str, path: str) -> str:
        """Write the text to `path` and give the SHA-256 of what the file holds. Raises `XiRefusedError`; it is untouched then."""
        if self._has_answers:
            return self._request("save", Save(view, path), SaveResult).sha256
        with self._changed:
            self._alerts.clear()
        self._notify("save", Save(view, path))
        self._wait_until_done(view)
        with self._changed:
            if self._alerts:  # of failures, xi tells people only
                raise XiRefusedError("; ".join(self._alerts))
        return sha256(Path(path).read_bytes()).hexdigest()

    def close_view(self, view: str) -> None:
        """Forget a view."""
        self._notify("close_view", ViewOnly(view))
        self._refusal("get_config", ViewOnly(view), None)  # nothing more is said of it after this
        with self._changed:
            self._lines.pop(view, None)

    def stop(self, grace_s: float) -> None:
        """End the process, within `grace_s` seconds by asking, then by force; again, or before `start`, does nothing."""
        with self._changed:
            self._is_stopping = True
        if self._process is not None:
            self._process.stop(grace_s)

    def _gesture(self, view: str, place: Place, kind: GestureKind) -> None:
        self._notify("edit", EditOut("gesture", view, Gesture(place.line, place.column, kind)))

    def _edit(self, edit: EditOut) -> None:
        if self._has_answers:
            self._request("edit", edit, None)
        else:
            self._notify("edit", edit)
            self._wait_until_done(edit.view_id)

    def _wait_until_done(self, view: str) -> None:
        self._request("get_config", ViewOnly(view), dict[str, Any])

    def _notify(self, method: str, params: object) -> None:
        with self._changed:
            self._require_alive().send(self._peer.notification(method, params))

    def _refusal(self, method: str, params: object, timeout_s: float | None) -> int | None:
        """Ask, and give the code of the error that came for an answer, if one did."""
        error = self._answer(method, params, timeout_s).error
        return None if error is None else error.code

    def _request(self, method: str, params: object, type_: type[Result] | None) -> Result:
        answer = self._answer(method, params, None)
        if answer.error is not None:
            raise XiRefusedError(answer.error.message)
        try:
            return msgspec.json.decode(answer.result, type=type_)
        except msgspec.DecodeError as error:
            raise XiMuteError(f"{self.command} (pid {self.pid}) answered {method} with what is no answer: {error}") from error

    def _answer(self, method: str, params: object, timeout_s: float | None) -> Response:
        with self._changed:
            process = self._require_alive()
            number, data = self._peer.request(method, params)
            process.send(data)
            asked = monotonic()
            patience_s = self._settings.patience_s if timeout_s is None else timeout_s
            last = asked + _MOST_PATIENCE * patience_s
            while number not in self._answers:
                self._require_alive()
                left = min(max(asked, process.last_progress) + patience_s, last) - monotonic()
                if left <= 0:
                    self._peer.forget(number)
                    raise XiMuteError(
                        f"{self.command} (pid {self.pid}) runs and has not answered {method} within {patience_s:g} s"
                    )
                self._changed.wait(left)
            return self._answers.pop(number)

    def _require_alive(self) -> XiProcess:
        if self._ended is not None:
            raise self._death(self._ended)
        if self._process is None:
            raise RuntimeError("a link is started before it is used")
        return self._process

    def _take(self, data: bytes) -> None:
        """Take what the process wrote; called by its thread."""
        with self._changed:
            for event in self._peer.receive(data):
                match event:
                    case Response(id=number):
                        self._answers[number] = event
                    case Notification(method, params):
                        self._hear(method, params)
                    case Request(number, method):
                        refusal = RequestError(f"this frontend does not offer {method}")
                        self._require_alive().send(self._peer.error(number, refusal))
                    case Malformed(reason, excerpt):
                        _log.warning("xi.message_malformed", reason=reason, excerpt=excerpt)
            self._changed.notify_all()

    def _hear(self, method: str, params: msgspec.Raw) -> None:
        try:
            if method == "update":
                update = msgspec.json.decode(params, type=UpdateParams)
                self._lines.setdefault(update.view_id, LineCache()).apply(update.update)
            elif method == "alert":
                alert = msgspec.json.decode(params, type=Alert).msg
                self._alerts.append(alert)
                _log.warning("xi.alert", text=alert)
        except (msgspec.DecodeError, LineCacheError) as error:
            # A mirror that is wrong is found out when it is compared; the whole text is asked for then.
            _log.warning("xi.notification_malformed", method=method, error=str(error))

    def _end(self, status: int | None) -> None:
        """Take note of the process's end; called by its thread."""
        ended = _End(None, status)
        if status is not None and status < 0:
            ended = _End(_signal_name(-status), None)
        with self._changed:
            self._ended = ended
            is_news = not self._is_stopping
            self._changed.notify_all()
        if is_news:
            self._on_death(self._death(ended))

    def _death(self, ended: _End) -> OsProcessDiedError:
        return OsProcessDiedError(self.command, self.pid, signal=ended.signal, exit_code=ended.exit_code)

    def _log_end(self) -> str:
        """Give the last lines of the log, which say why better than an exit status does."""
        if self._settings.log_file is None:
            return ""
        try:
            text = Path(self._settings.log_file).read_bytes()[-_LOG_TAIL:].decode(errors="replace").strip()
        except OSError:
            return ""
        return f"; its log, {self._settings.log_file}, ends:\n{text}" if text else ""


def _signal_name(number: int) -> str:
    return next((known.name for known in Signals if known.value == number), f"signal {number}")
