"""Fan-out: one message to many refs, so that one that refuses does not keep it from the others."""

from collections.abc import Iterable
from typing import Any

from ..errors import ActorRuntimeError, DeliveryError
from ..ref import ActorRef


def tell_all(refs: Iterable[ActorRef], message: Any) -> int:
    """Tell `message` to each, in order, and give how many took it.

    All get the same object, so let it be immutable. An actor whose mailbox blocks when it is full makes this wait. Where the
    message itself is at fault, as one that cannot cross a process, the first such error is raised once everybody has been told.
    """
    took = 0
    wrong: ActorRuntimeError | None = None
    for ref in refs:
        try:
            ref.tell(message)
        except DeliveryError:
            continue
        except ActorRuntimeError as error:
            wrong = wrong or error
        else:
            took += 1
    if wrong is not None:
        raise wrong
    return took
