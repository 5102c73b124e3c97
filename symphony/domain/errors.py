"""The core's errors, sorted by whose move it is.

    SymphonyError
    ├── RequestError                 the caller's move: correct the request, then call again
    │   ├── InvalidRequestError      the request breaks a rule; lists every problem
    │   ├── NotFoundError            it names something that does not exist
    │   ├── ConflictError            it was right for a state that is no longer (or not yet) so
    │   └── NotBuiltError            it asks for something that Symphony does not do yet
    ├── UnavailableError             the world's move: the same call may succeed later
    │   └── DeadlineExceededError    no answer in time; the effect may or may not have happened
    ├── ExtensionFailedError         an extension's move: its code raised, died or answered nonsense
    └── InvariantError               our move: a rule of ours is broken; please report it

An error crosses a process as its `kind` and its text, and is the same class on the other side (`error_from`).
"""

from collections.abc import Sequence


class SymphonyError(Exception):
    """Base of every error that the core declares; raise one of the leaves."""


class RequestError(SymphonyError):
    """The caller's move: correct the request, then call again."""


class InvalidRequestError(RequestError):
    """The request breaks a rule; `problems` lists every one, each with its place."""

    def __init__(self, *problems: str) -> None:
        super().__init__(*problems)
        self.problems: Sequence[str] = problems

    def __str__(self) -> str:
        return "\n".join(self.problems)


class NotFoundError(RequestError):
    """The request names something that does not exist."""


class ConflictError(RequestError):
    """The request does not fit the present state: read the state again, then decide."""


class NotBuiltError(RequestError):
    """The request asks for something that Symphony does not do yet."""


class UnavailableError(SymphonyError):
    """A part is away or restarting; nothing was done and the same call may succeed later."""


class DeadlineExceededError(UnavailableError):
    """No answer in time; the effect may or may not have happened."""


class ExtensionFailedError(SymphonyError):
    """An extension's own code raised, died or answered nonsense."""


class InvariantError(SymphonyError):
    """A rule of Symphony's own is broken: a bug, please report it."""


KINDS: dict[str, type[SymphonyError]] = {
    kind.__name__: kind
    for kind in (
        InvalidRequestError,
        NotFoundError,
        ConflictError,
        NotBuiltError,
        UnavailableError,
        DeadlineExceededError,
        ExtensionFailedError,
        InvariantError,
    )
}


def error_from(kind: str, text: str) -> SymphonyError:
    """Give the error that crossed a process as `kind` (its class name) and `text` (its `str`).

    A kind that is not in the tree is an `InvariantError`: whoever sent it owed us a declared error.
    """
    known = KINDS.get(kind)
    if known is None:
        return InvariantError(f"{kind}: {text}")
    return known(*text.split("\n")) if known is InvalidRequestError else known(text)
