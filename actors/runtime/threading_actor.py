"""ThreadingActor: the base class by which a program written for Pykka moves here, with `start`, `actor_ref` and `stop` as there.

Pykka's `start` finds a registry of the whole process. Nothing is global here, so ours goes by where it is called: in a handler,
the actor is started beside the one that handles, below the same supervisor; elsewhere, in the system whose `with` block is around
the call. The nearer of the two counts. `start` waits until the actor runs, which a handler may do: its supervisor runs elsewhere,
a `pinned` actor's thread may wait, and a `shared` one's is made up for. On an event loop it is refused.

Names come from the class and the number of the event that announces the start (`counter-3`): no number comes twice in the life of
a process, so a ref to an actor that is gone never leads to another.
"""

import asyncio
import re
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from contextvars import ContextVar
from typing import Any, ClassVar, NamedTuple, Protocol

from .actor import Actor, ActorContext, ClassFactory
from .address import ROOT, ActorPath, child_path
from .current import Activity, Wait, current_activity
from .dispatch.dispatcher import DispatcherKind
from .errors import NoSuchActorError, NotBuiltError, RejectedError, UsageError
from .events import EventLog
from .future import Future
from .messages import ProxyCall
from .proxied import stop_for_good
from .proxy import STOP
from .ref import ActorRef
from .spawning import MARGIN_S
from .supervision.handle import SupervisorHandle
from .supervision.orders import AddChild
from .supervision.spec import ChildSpec, RestartType
from .waiting import waiting_for


class System(Protocol):
    """What `start` needs of the system around it."""

    @property
    def events(self) -> EventLog:
        """Its events."""
        ...

    def spawn(
        self, actor: type[Actor], *, name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any], restart: RestartType
    ) -> ActorRef:
        """Start an actor below `/` and give its ref once it is running."""
        ...


class Entered(NamedTuple):
    """A system whose `with` block is around, and the handler that the block stands in, if any."""

    system: System
    within: Activity | None


_entered: ContextVar[Entered | None] = ContextVar("actors.runtime.entered", default=None)


def enter(system: System) -> Entered | None:
    """Let `start` on this thread, or in this task, find `system`; give what it found before, for `leave`."""
    before = _entered.get()
    _entered.set(Entered(system, current_activity()))
    return before


def leave(before: Entered | None) -> None:
    """Let `start` find what it found before. By a new value and not a token: a block may end in another context."""
    _entered.set(before)


class ThreadingActor(Actor):
    """Pykka's `ThreadingActor`: an actor with a thread of its own, that is started by its class and may stop itself.

    The table in `actors.runtime` says what differs. `ask_failure = "reply"` gives Pykka's rule for exceptions in asks.
    """

    dispatcher: ClassVar[DispatcherKind] = "pinned"

    def __init__(self, *_args: Any, **_kwargs: Any) -> None:
        """Make the behaviour. Takes any arguments, as Pykka's does. Runs where the messages are handled."""
        super().__init__()

    @classmethod
    def start(cls, *args: Any, **kwargs: Any) -> ActorRef:  # type: ignore[override]  # where the base class refuses, this starts
        """Start the actor `cls(*args, **kwargs)` and give its ref once it runs. It is `temporary`: after a failure, it is gone.

        Raises what `__init__` or `on_start` raised, `StartError` where it was not ready in time, and `UsageError` where no system
        is around, or on an event loop.
        """
        _refuse_on_event_loop(cls)
        entered, current = _entered.get(), current_activity()
        if entered is not None and entered.within is current:
            system = entered.system
            name = _new_name(cls, system.events, ROOT)
            return system.spawn(cls, name=name, args=args, kwargs=kwargs, restart="temporary")
        if current is not None:
            return _start_beside(current, cls, args, kwargs)
        write = f"write `with ActorSystem(…):` around it, or `system.spawn({cls.__name__}, name=…)`"
        raise UsageError(f"{cls.__name__}.start() has no system to start in: {write}, also in a thread begun within such a block")

    @property
    def actor_ref(self) -> ActorRef:
        """The actor's own ref."""
        ref = self.context.ref
        assert isinstance(ref, ActorRef), "a cell gives its actor an ActorRef"  # noqa: S101  # the face is wider, for stand-ins
        return ref

    @property
    def actor_urn(self) -> str:
        """What names the actor, under Pykka's name for it: its path."""
        return self.context.path

    def stop(self) -> None:
        """Stop the actor for good, behind the messages that wait already; before the next one where they leave no room."""
        try:
            _ = self.context.supervisor
        except NotBuiltError:
            # The one at the top of a process: whether that is started again is for the supervisor elsewhere.
            self.context.stop()
            return
        try:
            if self.overflow in ("reject", "block"):
                self.actor_ref.tell_as_proxy(ProxyCall(STOP))
            else:
                # The order could be what is dropped.
                stop_for_good(self)
        except RejectedError:
            stop_for_good(self)
        except NoSuchActorError:
            return


class _Beginning(ClassFactory):
    """Makes the behaviour, and stands for the actor meanwhile: whoever starts it waits for it, should it ask back."""

    def __init__(
        self,
        path: ActorPath,
        actor: type[Actor],
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        is_done: Callable[[], bool],
    ) -> None:
        super().__init__(actor, args, kwargs)
        self.path = path
        self._is_done = is_done
        self.waits_for: tuple[Wait, ...] = ()

    def __call__(self, context: ActorContext) -> Actor:
        """Make the behaviour of the one life, which is what runs here."""
        life = current_activity()
        self.waits_for = () if life is None else (Wait(life.cell, self._is_done),)
        return super().__call__(context)


def _start_beside(current: Activity, actor: type[Actor], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> ActorRef:
    supervisor = current.cell.supervisor
    assert isinstance(supervisor, SupervisorHandle), "a cell's supervisor is a handle"  # noqa: S101  # cells are typed as Any here
    parent = ActorPath(current.path.rpartition("/")[0] or ROOT)
    name = _new_name(actor, current.cell.surroundings.events, current.path)
    spec = ChildSpec(name, actor, restart="temporary")
    done: Future[ActorRef] = Future()
    beginning = _Beginning(child_path(parent, name), actor, args, kwargs, done.is_resolved)
    supervisor.signal(AddChild(name, spec, beginning, done))
    # The thread of a coroutine's own that waits here is not the one that its actor is held up on.
    holds_up = current.runner is None
    with waiting_for(current, (Wait(beginning, done.is_resolved),)) if holds_up else nullcontext():
        return done.get(spec.start_timeout + MARGIN_S)


def _new_name(actor: type[Actor], events: EventLog, by: str) -> str:
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "-", actor.__name__).lower()
    label = re.sub(r"[^a-z0-9]+", "-", words).strip("-")[:80] or "actor"
    return f"{label}-{events.publish('actor.start_ordered', by, actor=actor.__qualname__).seq}"


def _refuse_on_event_loop(actor: type[Actor]) -> None:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    name = actor.__name__
    write = f"`await asyncio.to_thread({name}.start, …)`"
    raise UsageError(f"{name}.start() waits, which would stop this thread's event loop: {write}")
