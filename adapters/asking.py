"""Asking an actor on behalf of a port: the runtime's errors become the core's, at this edge and nowhere else.

| the runtime says | the core hears | because |
|---|---|---|
| a declared error, here or from another process | the same error | the actor declares what the port declares |
| nobody there, node away, ended, mailbox full | `UnavailableError` | not handled: the same call may succeed later |
| the actor failed on it | `UnavailableError` | it restarts; ports are made so that a repeated call is safe |
| no answer in time | `DeadlineExceededError` | it may or may not have been handled |
"""

from typing import TypeVar

from actors.runtime import ActorRef, Request
from actors.runtime.errors import ActorFailedError, ActorRuntimeError, AskTimeoutError, DeliveryError, RemoteError
from symphony.domain.errors import DeadlineExceededError, InvariantError, UnavailableError, error_from

Reply = TypeVar("Reply")


async def ask(ref: ActorRef, request: Request[Reply], *, timeout_s: float) -> Reply:
    """Ask and give the reply; on an event loop's thread. Raises errors of `symphony.domain.errors` only."""
    try:
        return await ref.ask(request, timeout=timeout_s, block=False)
    except RemoteError as error:
        raise error_from(error.kind, error.text) from error
    except AskTimeoutError as error:
        raise DeadlineExceededError(f"{ref.path} did not answer within {timeout_s} s") from error
    except (DeliveryError, ActorFailedError) as error:
        raise UnavailableError(str(error)) from error
    except ActorRuntimeError as error:
        raise InvariantError(f"{ref.path}: {error}") from error
