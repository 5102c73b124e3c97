"""SupervisorHandle: a supervisor as its children see it, who may change what it supervises while it runs.

Only signals are put, so nobody's call can block a supervisor, and it takes each at once, whatever its children are at: how it
went comes back in a future.
"""

from collections.abc import Callable, Mapping
from typing import Any

from ..errors import SpecError
from ..future import Future
from ..ref import ActorRef
from .difference import Difference
from .orders import AddChild, Probe, Reload, RemoveChild, RestartChild, StartChild, StartLike, StopChild
from .spec import ChildSpec, SupervisorSpec


class SupervisorHandle:
    """One supervisor; `signal` puts a signal into its mailbox. Any thread may call.

    Wait for the futures with a bound: an actor that waits for its own removal waits in vain. A supervisor that ends meanwhile
    answers them with an error. Every verb about a child that is not there fails with `NoSuchActorError`.
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

    def start_like(
        self, name: str | None = None, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Future[ActorRef]:
        """Start a further child of a dynamic supervisor, by its template; `args` follow the template's own.

        Without a name, it gets the template's and a number. The future has its ref once it is running, and fails as `add` does.
        """
        done: Future[ActorRef] = Future()
        self.signal(StartLike(name, args, kwargs or {}, done))
        return done

    def remove(self, name: str) -> Future[None]:
        """Stop a child and forget it; the future resolves once it is gone."""
        done: Future[None] = Future()
        self.signal(RemoveChild(name, done))
        return done

    def stop(self, name: str) -> Future[None]:
        """Stop a child, which stays stopped until it is started, also when its siblings are restarted; its spec is kept.

        A restart that it waits for is cancelled. The future resolves once it has stopped.
        """
        done: Future[None] = Future()
        self.signal(StopChild(name, done))
        return done

    def start(self, name: str) -> Future[ActorRef]:
        """Start a child that is parked, stopped or waits for its restart, with a clean record; one that runs is left alone.

        The future resolves once the child runs; it fails with what prevented that, if the child is given up again.
        """
        done: Future[ActorRef] = Future()
        self.signal(StartChild(name, done))
        return done

    def restart(self, name: str) -> Future[ActorRef]:
        """Stop a child and start it again, with the group that its supervisor's strategy restarts along with it.

        It counts for no limit, and messages that wait in a mailbox of this process are kept. One that does not run is started.
        The future resolves once the child runs.
        """
        done: Future[ActorRef] = Future()
        self.signal(RestartChild(name, done))
        return done

    def reload(self, spec: SupervisorSpec) -> Future[Difference]:
        """Have the supervisor become what `spec` says, and leave alone what that does not change.

        The future has the difference once it has been begun; events tell how it goes. A child that it has added or changed and
        that does not get to run is parked, and ends nobody else. Where a part of it cannot be done, it fails with `SpecError`,
        and nothing has been done.
        """
        done: Future[Difference] = Future()
        given: object = spec
        if isinstance(given, SupervisorSpec):
            self.signal(Reload(spec, done))
        else:
            done.set_error(SpecError(f"reload: {given!r}: a SupervisorSpec"))
        return done

    def probe(self) -> Future[None]:
        """Ask whether the supervisor takes its turns: the future resolves in the next one."""
        done: Future[None] = Future()
        self.signal(Probe(done))
        return done
