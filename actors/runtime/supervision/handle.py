"""SupervisorHandle: a supervisor as its children see it, who may change what it supervises while it runs.

Only signals are put, so nobody's call can block a supervisor: how it went comes back in a future.
"""

from collections.abc import Callable

from ..errors import SpecError
from ..future import Future
from ..ref import ActorRef
from .orders import AddChild, RemoveChild, RestartChild
from .spec import ChildSpec, SupervisorSpec


class SupervisorHandle:
    """One supervisor; `signal` puts a signal into its mailbox. Any thread may call.

    Wait for the futures with a bound: an actor that waits for its own removal waits in vain. A supervisor that ends meanwhile
    answers them with an error.
    """

    def __init__(self, signal: Callable[[object], None]) -> None:
        self.signal = signal

    def add(self, spec: object) -> Future[ActorRef]:
        """Start a further child; the future has its ref once it is running.

        It fails with what the child's `on_start` raised (nothing is left of the child then), `NameTakenError`, `SpecError`, or
        `StartError` where the child was not ready in time or the supervisor is not running.
        """
        done: Future[ActorRef] = Future()
        if isinstance(spec, ChildSpec | SupervisorSpec):
            self.signal(AddChild(spec.id, spec, None, done))
        else:
            done.set_error(SpecError(f"add: {spec!r}: a ChildSpec or a SupervisorSpec"))
        return done

    def remove(self, name: str) -> Future[None]:
        """Stop a child and forget it; the future resolves once it is gone, or fails with `NoSuchActorError`."""
        done: Future[None] = Future()
        self.signal(RemoveChild(name, done))
        return done

    def restart(self, name: str) -> Future[ActorRef]:
        """Start a child that is parked, stopped or waits for its restart, with a clean record; one that runs is left alone.

        The future resolves once the child runs; it fails with what prevented that, if the child is given up again, or with
        `NoSuchActorError`.
        """
        done: Future[ActorRef] = Future()
        self.signal(RestartChild(name, done))
        return done
