"""JSON-RPC as xi speaks it, without I/O: bytes in, events out; a message out, bytes.

One JSON object a line. It is not quite JSON-RPC 2.0: there is no `jsonrpc` member, both sides may ask, each side counts its own
ids, and an id is a non-negative integer. The same class serves both ends. Unlike xi-core, which dies of a bad line, a peer turns
every bad line into a `Malformed` event and goes on with the next; of a line longer than `max_line` it skips the rest.

Parameters stay undecoded (`msgspec.Raw`) until the method, which says their type, is known. A peer holds no lock: one thread
feeds it, and the same thread asks it for bytes to send.
"""

from typing import Final

import msgspec

from xi.protocol.errors import RequestError

MAX_LINE: Final = 256 * 1024 * 1024
MAX_ID: Final = 2**64 - 1
_EXCERPT: Final = 80
_EMPTY: Final = msgspec.Raw(b"")
_NO_PARAMS: Final = msgspec.Raw(b"{}")  # a message without parameters is one with none in it


class Request(msgspec.Struct, frozen=True):
    """The other side asks; answer with `result` or `error` and this id."""

    id: int
    method: str
    params: msgspec.Raw


class Notification(msgspec.Struct, frozen=True):
    """The other side says something and wants no answer."""

    method: str
    params: msgspec.Raw


class Response(msgspec.Struct, frozen=True):
    """The answer to one of our requests: `error` is None, or the answer is that error and `result` is empty."""

    id: int
    method: str
    result: msgspec.Raw
    error: RequestError | None


class Malformed(msgspec.Struct, frozen=True):
    """A line that is no message; `id` is the request to answer with an error, if one can be made out."""

    reason: str
    excerpt: str
    id: int | None = None


Event = Request | Notification | Response | Malformed


class _Envelope(msgspec.Struct):
    id: int | msgspec.UnsetType = msgspec.UNSET
    method: str | msgspec.UnsetType = msgspec.UNSET
    params: msgspec.Raw = _NO_PARAMS
    result: msgspec.Raw = _EMPTY
    error: msgspec.Raw = _EMPTY


class _ErrorBody(msgspec.Struct):
    code: int
    message: str


class _RequestOut(msgspec.Struct):
    id: int
    method: str
    params: object


class _NotificationOut(msgspec.Struct):
    method: str
    params: object


class _ResultOut(msgspec.Struct):
    id: int
    result: object


class _ErrorOut(msgspec.Struct):
    id: int
    error: _ErrorBody


class Peer:
    """One end of a conversation: the undecoded rest of the input, and the requests that await an answer."""

    def __init__(self, max_line: int = MAX_LINE) -> None:
        """Accept lines of up to `max_line` bytes."""
        self._max_line = max_line
        self._partial = bytearray()
        self._is_skipping = False
        self._next_id = 0
        self._pending: dict[int, str] = {}
        self._envelopes = msgspec.json.Decoder(_Envelope)
        self._errors = msgspec.json.Decoder(_ErrorBody)
        self._encoder = msgspec.json.Encoder()

    @property
    def pending(self) -> tuple[int, ...]:
        """Ids of our requests that have not been answered, oldest first."""
        return tuple(self._pending)

    def receive(self, data: bytes) -> list[Event]:
        """Return the events that `data` completes, in order; raises nothing, whatever the bytes."""
        *lines, rest = data.split(b"\n")
        events: list[Event] = []
        for line in lines:
            whole = line
            if self._partial:
                whole = bytes(self._partial) + line
                self._partial.clear()
            if self._is_skipping:
                self._is_skipping = False
            elif len(whole) > self._max_line:
                events.append(self._too_long(whole))
            else:
                events.append(self._parse(whole))
        if rest and not self._is_skipping:
            self._partial += rest
            if len(self._partial) > self._max_line:
                events.append(self._too_long(bytes(self._partial[:_EXCERPT])))
                self._partial.clear()
                self._is_skipping = True
        return events

    def receive_end(self) -> list[Event]:
        """Return what an unterminated last line says, once the input has ended; the peer is then as good as new."""
        line = bytes(self._partial)
        self._partial.clear()
        self._is_skipping = False
        return [self._parse(line)] if line else []

    def request(self, method: str, params: object) -> tuple[int, bytes]:
        """Return the id under which the answer will come, and the bytes to send."""
        number = self._next_id
        self._next_id += 1
        self._pending[number] = method
        return number, self._line(_RequestOut(number, method, params))

    def forget(self, number: int) -> None:
        """Stop waiting for the answer to request `number`; should it come after all, it is Malformed."""
        self._pending.pop(number, None)

    def notification(self, method: str, params: object) -> bytes:
        """Return the bytes that say `method`."""
        return self._line(_NotificationOut(method, params))

    def result(self, number: int, result: object) -> bytes:
        """Return the bytes that answer request `number`."""
        return self._line(_ResultOut(number, result))

    def error(self, number: int, error: RequestError) -> bytes:
        """Return the bytes that refuse request `number`."""
        return self._line(_ErrorOut(number, _ErrorBody(error.code, error.message)))

    def _line(self, message: msgspec.Struct) -> bytes:
        return self._encoder.encode(message) + b"\n"

    def _too_long(self, start: bytes) -> Malformed:
        return Malformed(f"a line is longer than {self._max_line} bytes", _excerpt(start))

    def _parse(self, line: bytes) -> Event:
        try:
            if not line.isascii():
                line.decode()  # msgspec leaves strings inside Raw unchecked, so a bad one would go off far from here
            envelope = self._envelopes.decode(line)
        except msgspec.ValidationError as error:
            return Malformed(str(error), _excerpt(line), self._id_in(line))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            return Malformed(f"not JSON: {error}" if line.strip() else "an empty line", _excerpt(line))
        number = None if envelope.id is msgspec.UNSET else envelope.id
        if number is not None and not 0 <= number <= MAX_ID:
            return Malformed(f"an id is an integer from 0 to 2**64-1, not {number}", _excerpt(line))
        if envelope.method is msgspec.UNSET:
            return self._response(number, envelope, line)
        if number is None:
            return Notification(envelope.method, envelope.params)
        return Request(number, envelope.method, envelope.params)

    def _response(self, number: int | None, envelope: _Envelope, line: bytes) -> Event:
        if number is None:
            return Malformed("neither method nor id", _excerpt(line))
        has_result, has_error = envelope.result is not _EMPTY, envelope.error is not _EMPTY
        if has_result == has_error:
            return Malformed("a response has exactly one of result and error", _excerpt(line))
        if number not in self._pending:
            return Malformed(f"a response to request {number}, which is not open", _excerpt(line))
        error = None
        if has_error:
            try:
                body = self._errors.decode(envelope.error)
            except msgspec.DecodeError as reason:
                return Malformed(f"a response with a malformed error: {reason}", _excerpt(line))
            error = RequestError(body.message, body.code)
        return Response(number, self._pending.pop(number), envelope.result, error)

    def _id_in(self, line: bytes) -> int | None:
        """Return the id of a message whose envelope is wrong elsewhere, so that its sender need not wait for ever."""
        try:
            message = msgspec.json.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None
        number = message.get("id") if isinstance(message, dict) and "method" in message else None
        return number if type(number) is int and 0 <= number <= MAX_ID else None


def _excerpt(line: bytes) -> str:
    return line[:_EXCERPT].decode(errors="backslashreplace") + ("..." if len(line) > _EXCERPT else "")
