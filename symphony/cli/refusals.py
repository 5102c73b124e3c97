"""Refusals: an error that a kernel, or an actor behind it, sent by its name becomes the class of that name again."""

from collections.abc import Mapping
from types import MappingProxyType

from actors.runtime import errors as runtime
from actors.runtime.control.client import KernelRefusedError
from symphony.domain.errors import error_from

from .errors import RefusalError

# The runtime's errors that a kernel sends by their names, and that are made of nothing but a text.
_BY_NAME: Mapping[str, type[runtime.ActorRuntimeError]] = MappingProxyType(
    {
        kind.__name__: kind
        for kind in (
            runtime.SpecError,
            runtime.InvalidPathError,
            runtime.NameTakenError,
            runtime.UnsendableError,
            runtime.NotBuiltError,
            runtime.NoSuchActorError,
            runtime.TerminatedError,
            runtime.RejectedError,
            runtime.NodeUnavailableError,
            runtime.AskTimeoutError,
            runtime.ActorFailedError,
            runtime.ProtocolError,
            runtime.StartError,
        )
    }
)


def unwrapped(refused: KernelRefusedError) -> Exception:
    """Give the error that was sent; a `RefusalError` where its name says nothing here."""
    if refused.declared:
        return error_from(refused.kind, refused.text)
    known = _BY_NAME.get(refused.kind)
    return RefusalError(refused.kind, refused.text) if known is None else known(refused.text)
