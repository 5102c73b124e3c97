"""Actor: the behaviour that a cell runs, with Pykka's hooks.

The programming model is Pykka's: subclass, write `on_start`, `on_receive`, `on_stop` and `on_failure`, and talk to it by
`tell`, `ask` and `proxy`. What differs is who owns what. Pykka's actor owns its inbox, its thread and its place in a registry
of the whole process, and is gone after a failure; here a cell owns them, so that they outlive a restart, and the instance is
only the behaviour. So Pykka's own `__init__`, which makes an inbox and an event for each instance, is not called, and
`Actor.start` refuses: actors are spawned by a system, or started as a `ThreadingActor`. What differs from Pykka is in one table,
in `actors.runtime`.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from types import TracebackType
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, Protocol

import msgspec
import pykka

from .address import ActorPath
from .clock import Clock
from .dispatch.dispatcher import KINDS, DispatcherKind
from .errors import NotBuiltError, RejectedError, SpecError
from .future import Future
from .groups import Groups
from .mailbox import DEFAULT_CAPACITY
from .policies import ASK_FAILURES, OVERFLOWS, AskFailure, Overflow
from .ref import ActorRef
from .timers import Timer


class Supervisor(Protocol):
    """What an actor may ask of its supervisor. Nothing waits; wait for the futures with a bound."""

    def add(self, spec: object) -> Future[ActorRef]:
        """Start what `spec`, a `ChildSpec` or `SupervisorSpec`, says beside the actor; the future has its ref once it runs."""
        ...

    def remove(self, name: str) -> Future[None]:
        """Stop the child `name` and forget it; the future resolves once it is gone."""
        ...

    def stop(self, name: str) -> Future[None]:
        """Stop the child `name` and keep it stopped; the future resolves once it has."""
        ...

    def start(self, name: str) -> Future[ActorRef]:
        """Start the child `name`, if it is parked, stopped or waits for its restart; the future resolves once it runs."""
        ...

    def restart(self, name: str) -> Future[ActorRef]:
        """Stop the child `name` and start it again; the future resolves once it runs."""
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
    def ref(self) -> ActorRef:
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

    def blocking(self) -> AbstractContextManager[None]:
        """Say that the handler waits while the block lasts, so that a `shared` dispatcher lets another thread take over.

        Waiting for a future says so by itself; this is for other things that block.
        """
        ...

    def stash(self) -> None:
        """Put the message in hand aside, until `unstash_all`; an ask is answered when it is handled then.

        Only in a handler. What is aside when the life ends goes back into the mailbox. Raises `RejectedError` where as many are
        aside as the mailbox may hold.
        """
        ...

    def unstash_all(self) -> None:
        """Put what was put aside back in front of the mailbox, in order. Only in a handler."""
        ...

    def become(self, handler: Callable[[Any], Any]) -> None:
        """Handle messages by `handler`, not by `on_receive`, from the next one on, but for a proxy's. Only in a handler."""
        ...

    def unbecome(self) -> None:
        """Handle messages as before the last `become`. Only in a handler. Raises `UsageError` where there was none."""
        ...

    def tell_later(self, delay_s: float, message: Any) -> Timer:
        """Tell the actor `message` once, in `delay_s` seconds; cancelled with its life."""
        ...

    def tell_every(self, interval_s: float, message: Any) -> Timer:
        """Tell the actor `message` every `interval_s` seconds, the first time after one; cancelled with its life.

        Ticks are counted from the start, so they do not drift; where the system was too busy for one, it is left out.
        """
        ...

    def find(self, pattern: str) -> tuple[ActorRef, ...]:
        """Give refs to the actors of this process whose paths match, such as `/pool/*`, as `ActorSystem.find` does."""
        ...

    @property
    def groups(self) -> Groups:
        """The groups and topics of the actor's process: join with `self.context.groups.join("workers", self.context.ref)`."""
        ...

    def watch(self, target: ActorRef) -> None:
        """Have the actor told `Terminated(path, incarnation, reason)` of each life of `target` that ends, until its own ends."""
        ...

    def unwatch(self, target: ActorRef) -> None:
        """Hear of `target` no longer."""
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
    `expected_errors` are the exceptions that answer an asker without failing the actor, as `RejectedError` always does;
    `ask_failure = "reply"` is Pykka's rule, by which every exception in an ask goes to the asker and only those in tells fail the
    actor. `mailbox_capacity` bounds the messages that wait, and `overflow` says what becomes of one too many: `reject`, `block`,
    `drop_oldest` or `drop_newest`. A message is tried in `attempts` lives before it is a dead letter.

    `inline` lets an idle `shared` actor run on the thread of whoever asks it and waits: ten times as quick, for handlers that are
    short and do not care which thread they run on. `concurrency` is how many messages an `async` actor handles at a time.
    """

    dispatcher: ClassVar[DispatcherKind] = "shared"
    inline: ClassVar[bool] = False
    concurrency: ClassVar[int] = 1
    mailbox_capacity: ClassVar[int] = DEFAULT_CAPACITY
    overflow: ClassVar[Overflow] = "reject"
    attempts: ClassVar[int] = 1
    ask_failure: ClassVar[AskFailure] = "fail"
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

    @classmethod
    def priority_of(cls, message: Any) -> int:  # noqa: ARG003  # the face that subclasses give a body
        """Give a message's priority; those with a higher one are handled first.

        Runs on the sender's thread. Where no subclass defines it, messages are handled as they come, which is quicker.
        """
        return 0

    def on_kill(self) -> None:
        """Make the handler that runs now return, as far as that can be done: it did not end in time and the actor is given up.

        Called on another thread, so it must be quick and touch only what threads may share. An actor that stands for an OS
        process kills that: a handler that waits for it then returns.
        """

    def on_signal(self, signal: object) -> Any:
        """Handle a signal of the runtime's; only the runtime's own actors get any."""

    def stop(self) -> None:
        """Stop the actor before its next message; Pykka's stop, and a `ThreadingActor`'s, comes behind what waits."""
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

    __slots__ = ("_args", "_kwargs", "actor")

    def __init__(self, actor: type[Actor], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        self.actor = actor
        self._args = args
        self._kwargs = kwargs

    def __call__(self, context: ActorContext) -> Actor:
        """Make the behaviour of one life."""
        actor = self.actor
        made = actor.__new__(actor)
        # Before `__init__`, which may use it.
        made.context = context
        if self._kwargs:
            made.__init__(*self._args, **self._kwargs)  # type: ignore[misc]  # no constructor made it
        else:
            made.__init__(*self._args)  # type: ignore[misc]  # as above; to pass no keywords on is a third of the whole
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
        ("inline", actor.inline, isinstance(actor.inline, bool), "True or False"),
        ("inline", actor.inline, not actor.inline or actor.dispatcher == "shared", "only for a `shared` actor"),
        ("concurrency", actor.concurrency, _is_count(actor.concurrency), "a whole number, 1 or more"),
        ("concurrency", actor.concurrency, actor.concurrency == 1 or actor.dispatcher == "async", "more than 1 is for `async`"),
        ("mailbox_capacity", capacity, _is_count(capacity), "a whole number, 1 or more"),
        ("overflow", actor.overflow, actor.overflow in OVERFLOWS, "reject, block, drop_oldest or drop_newest"),
        ("attempts", actor.attempts, _is_count(actor.attempts), "a whole number, 1 or more"),
        ("ask_failure", actor.ask_failure, actor.ask_failure in ASK_FAILURES, "fail or reply"),
        ("expected_errors", errors, are_errors, "a tuple of exception classes"),
        ("messages", messages, None not in tags, "a tuple of Structs with a text tag, such as subclasses of Message or Request"),
        ("messages", messages, len(set(tags)) == len(tags), "no tag twice"),
    ]
    return [f"{actor.__qualname__}: {field}: {value!r}: {rule}" for field, value, holds, rule in rules if not holds]


def _is_count(value: object) -> bool:
    return type(value) is int and value > 0


def _tag(kind: object) -> str | None:
    tag = getattr(getattr(kind, "__struct_config__", None), "tag", None)
    return tag if isinstance(tag, str) else None
