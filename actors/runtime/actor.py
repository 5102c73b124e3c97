"""Actor: the behaviour that a cell runs, with Pykka's hooks.

The programming model is Pykka's: subclass, write `on_start`, `on_receive`, `on_stop` and `on_failure`, and talk to it by
`tell`, `ask` and `proxy`. What differs is who owns what. Pykka's actor owns its inbox, its thread and its place in a registry
of the whole process, and is gone after a failure; here a cell owns them, so that they outlive a restart, and the instance is
only the behaviour. So Pykka's own `__init__`, which makes an inbox and an event for each instance, is not called, and
`Actor.start` refuses: actors are spawned by a system.

| | Pykka | here |
|---|---|---|
| an exception in an ask | goes to the asker, the actor lives on | so too if in `expected_errors`; else it also fails the actor |
| an exception in `on_start` | logged | `spawn` raises it; in a restart, it is one more failure |
| a `BaseException` in a handler | stops every actor of the process | fails that actor |
| after a failure | the actor is gone, its inbox drained | its supervisor restarts it, its mailbox is kept |
| `ask` without a timeout | waits for ever | waits 5 s; `timeout=None` must be written out |
"""

from collections.abc import Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, Protocol

import msgspec
import pykka

from .address import ActorPath
from .clock import Clock
from .dispatcher import KINDS, DispatcherKind
from .errors import NotBuiltError, RejectedError, SpecError
from .future import Future
from .mailbox import DEFAULT_CAPACITY
from .ref import ActorRef


class Ref(Protocol):
    """What an actor needs of a ref to itself."""

    def tell(self, message: Any) -> None:
        """Send a message."""
        ...


class Supervisor(Protocol):
    """What an actor may ask of its supervisor. Nothing waits; wait for the futures with a bound."""

    def add(self, spec: object) -> Future[ActorRef]:
        """Start what `spec`, a `ChildSpec` or `SupervisorSpec`, says beside the actor; the future has its ref once it runs."""
        ...

    def remove(self, name: str) -> Future[None]:
        """Stop the child `name` and forget it; the future resolves once it is gone."""
        ...

    def restart(self, name: str) -> Future[ActorRef]:
        """Start the child `name`, if it is parked, stopped or waits for its restart; the future resolves once it runs."""
        ...


class ActorContext(Protocol):
    """What an actor may ask of the runtime. Methods may be called from any thread."""

    @property
    def path(self) -> ActorPath:
        """Where the actor lives."""
        ...

    @property
    def incarnation(self) -> int:
        """Which life of that path this is, from 1."""
        ...

    @property
    def clock(self) -> Clock:
        """The system's clock."""
        ...

    @property
    def ref(self) -> Ref:
        """The actor's own ref."""
        ...

    @property
    def supervisor(self) -> Supervisor:
        """The actor's supervisor, to add siblings and remove them. Raises `NotBuiltError` where it is in another process."""
        ...

    def publish(self, type_: str, **fields: Any) -> None:
        """Publish an event under the actor's path; `type_` is `noun.past_participle`."""
        ...

    def set_os_process(self, pid: int | None, command: str = "") -> None:
        """Say which OS process the actor stands for, or that there is none any more."""
        ...

    def fail(self, error: BaseException) -> None:
        """Fail the actor before its next message, as if a handler had raised `error`."""
        ...

    def stop(self) -> None:
        """Stop the actor before its next message."""
        ...


if TYPE_CHECKING:
    # Pykka declares its hooks as plain functions. Here they may be coroutines as well, and a type checker lets no subclass widen
    # that.
    _PykkaActor = object
else:
    _PykkaActor = pykka.Actor


class Actor(_PykkaActor):
    """Subclass this. Every hook runs where the actor's messages are handled, one at a time.

    `dispatcher` is where that is: `shared` (a few threads for many actors; do not block), `pinned` (a thread of its own),
    `async` (an event loop; hooks may be `async def`). `messages` are the typed messages that `on_receive` understands;
    `expected_errors` are the exceptions that answer an asker without failing the actor, as `RejectedError` always does.
    `mailbox_capacity` bounds the messages that wait.
    """

    dispatcher: ClassVar[DispatcherKind] = "shared"
    mailbox_capacity: ClassVar[int] = DEFAULT_CAPACITY
    messages: ClassVar[tuple[type[msgspec.Struct], ...]] = ()
    expected_errors: ClassVar[tuple[type[Exception], ...]] = ()

    context: ActorContext

    def __init_subclass__(cls, **options: Any) -> None:
        """Check the class attributes. Raises `SpecError`, which lists every problem."""
        super().__init_subclass__(**options)
        problems = _problems_of(cls)
        if problems:
            raise SpecError(*problems)

    def __init__(self) -> None:
        """Make the behaviour. The context is there already. Runs where the messages are handled."""

    def on_start(self) -> Any:
        """Get ready; the actor is running once this has returned. An exception means that it did not start."""

    def on_stop(self) -> Any:
        """Let go of everything. Called when the actor is stopped, not after a failure."""

    def on_failure(
        self,
        exception_type: type[BaseException] | None,
        exception_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> Any:
        """Let go of everything after a failure. What it raises is logged and changes nothing."""

    def on_receive(self, message: Any) -> Any:
        """Handle a message; what is returned answers an ask. The default refuses what it does not know."""
        raise RejectedError(f"{type(self).__name__} does not handle messages of type {type(message).__name__}")

    def on_kill(self) -> None:
        """Make the handler that runs now return, as far as that can be done: it did not end in time and the actor is given up.

        Called on another thread, so it must be quick and touch only what threads may share. An actor that stands for an OS
        process kills that: a handler that waits for it then returns.
        """

    def on_signal(self, signal: object) -> Any:
        """Handle a signal of the runtime's; only the runtime's own actors get any."""

    def stop(self) -> None:
        """Stop the actor before its next message, as in Pykka."""
        self.context.stop()

    @classmethod
    def start(cls, *_: Any, **__: Any) -> NoReturn:
        """Refuse: an actor belongs to a system, and is spawned by it."""
        raise NotBuiltError(f"{cls.__name__}.start() is not built yet: use `system.spawn({cls.__name__}, name=...)`")

    @staticmethod
    def _create_actor_inbox() -> NoReturn:
        raise NotBuiltError("an actor has no inbox of its own: its cell has a mailbox")

    @staticmethod
    def _create_future() -> NoReturn:
        raise NotBuiltError("an actor makes no futures: asking its ref does")

    def _start_actor_loop(self) -> NoReturn:
        raise NotBuiltError("an actor has no loop of its own: its dispatcher runs its cell")

    def __str__(self) -> str:
        return f"{type(self).__name__} at {self.context.path}"


ActorFactory = Callable[[ActorContext], Actor]
"""Makes the behaviour of one life, with its context in place."""


class ClassFactory:
    """The factory that calls `actor(*args, **kwargs)`."""

    def __init__(self, actor: type[Actor], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        self.actor = actor
        self._args = args
        self._kwargs = kwargs

    def __call__(self, context: ActorContext) -> Actor:
        """Make the behaviour of one life."""
        made = self.actor.__new__(self.actor)
        made.context = context
        made.__init__(*self._args, **self._kwargs)  # type: ignore[misc]  # so that `__init__` finds its context
        return made


def factory_of(actor: type[Actor], args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None) -> ClassFactory:
    """Give the factory that calls `actor(*args, **kwargs)`."""
    return ClassFactory(actor, args, kwargs or {})


def _problems_of(actor: type[Actor]) -> list[str]:
    """Say what the class attributes of an actor break."""
    capacity, messages, errors = actor.mailbox_capacity, actor.messages, actor.expected_errors
    are_errors = isinstance(errors, tuple | list) and all(
        isinstance(kind, type) and issubclass(kind, Exception) for kind in errors
    )
    tags = [_tag(kind) for kind in messages] if isinstance(messages, tuple | list) else [None]
    rules: list[tuple[str, object, bool, str]] = [
        ("dispatcher", actor.dispatcher, actor.dispatcher in KINDS, "shared, pinned or async"),
        ("mailbox_capacity", capacity, type(capacity) is int and capacity > 0, "a whole number, 1 or more"),
        ("expected_errors", errors, are_errors, "a tuple of exception classes"),
        ("messages", messages, None not in tags, "a tuple of Structs with a text tag, such as subclasses of Message or Request"),
        ("messages", messages, len(set(tags)) == len(tags), "no tag twice"),
    ]
    return [f"{actor.__qualname__}: {field}: {value!r}: {rule}" for field, value, holds, rule in rules if not holds]


def _tag(kind: object) -> str | None:
    tag = getattr(getattr(kind, "__struct_config__", None), "tag", None)
    return tag if isinstance(tag, str) else None
