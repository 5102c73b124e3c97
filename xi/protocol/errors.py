"""What can be wrong with a message, and whose move it is then.

    RequestError        the asker's move: sent back as the `error` of a reply, with its code
    ├─ NotBuiltError    ours: the protocol has this, this program does not yet
    └─ MissingViewError the view was never opened, or is closed

The codes are those of xi-core where it has one; it answers every request that it cannot understand with `INVALID_REQUEST`.
"""

from typing import Final

INVALID_REQUEST: Final = -32600
MISSING_VIEW: Final = 404
IO_ERROR: Final = 5
BAD_ENCODING: Final = 6
FILE_CHANGED: Final = 7


class RequestError(Exception):
    """A request that cannot be served; `code` and `message` go to the asker."""

    def __init__(self, message: str, code: int = INVALID_REQUEST) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class NotBuiltError(RequestError):
    """A part of the protocol that is known and does not exist here yet."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} is not built yet")


class MissingViewError(RequestError):
    """No open view has this id."""

    def __init__(self, view_id: str) -> None:
        super().__init__(f"no open view has the id {view_id!r}", MISSING_VIEW)
