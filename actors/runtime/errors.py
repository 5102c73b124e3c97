"""The runtime's errors, sorted by whose move it is.

    ActorRuntimeError
    ├── UsageError                   the caller's move: the program is wrong as written
    │   ├── SpecError                a spec breaks a rule; lists every problem
    │   ├── InvalidPathError         not the form of an actor path
    │   ├── NameTakenError           another actor lives at that path
    │   ├── AskCycleError            the actor that is asked waits for the one that asks
    │   ├── UnsendableError          the message (or reply) is no plain data, so it cannot cross a process
    │   └── NotBuiltError            what is asked for is not built yet
    ├── DeliveryError                the message was not handled; sending it again is safe
    │   ├── NoSuchActorError         nobody lives at that path
    │   ├── TerminatedError          the actor ended before it handled the message
    │   ├── RejectedError            a full mailbox, or a receiver that does not know the message
    │   └── NodeUnavailableError     the node is away or restarting
    ├── AskCancelledError            the asker took the ask back before it was handled
    ├── AskTimeoutError              no answer in time: it may or may not have been handled
    ├── ActorFailedError             the actor failed while handling the message; its supervisor restarts it
    ├── RemoteError                  a declared error of an actor in another process, as data
    ├── ProtocolError                the peer's fault: bytes that are no valid frame
    ├── StartError                   an actor or node did not become ready
    ├── OsProcessDiedError           raised by an actor whose OS process died, so that its supervisor restarts it
    └── RunDirectoryError            the run directory cannot be used
        └── RunDirectoryBusyError    another kernel has it

Every ask resolves exactly once: with a reply, or with one of these.
"""

from collections.abc import Sequence


class ActorRuntimeError(Exception):
    """Base of every error that the runtime raises; raise one of the leaves."""


class UsageError(ActorRuntimeError):
    """The caller's move: the program is wrong as written."""


class SpecError(UsageError):
    """A spec breaks a rule; `problems` lists every one as `field: value: rule`."""

    def __init__(self, *problems: str) -> None:
        super().__init__(*problems)
        self.problems: Sequence[str] = problems

    def __str__(self) -> str:
        return "; ".join(self.problems)


class InvalidPathError(UsageError):
    """The text is no actor path: `/` or `/name/name…`, names of letters, digits, `.`, `_` and `-`."""


class NameTakenError(UsageError):
    """Another actor lives at that path."""


class AskCycleError(UsageError):
    """The actor that is asked waits, directly or through others, for the one that asks; the text says through whom."""


class UnsendableError(UsageError):
    """The message (or the reply) is no plain data, so it cannot cross a process."""


class NotBuiltError(UsageError):
    """What is asked for is not built yet."""


class DeliveryError(ActorRuntimeError):
    """The message was not handled; sending it again is safe."""


class NoSuchActorError(DeliveryError):
    """Nobody lives at that path."""


class TerminatedError(DeliveryError):
    """The actor ended before it handled the message."""


class RejectedError(DeliveryError):
    """The receiver did not take the message: its mailbox is full, or it does not know messages of that type."""


class NodeUnavailableError(DeliveryError):
    """The node that the actor lives in is away or restarting."""


class AskCancelledError(ActorRuntimeError):
    """The asker took the ask back before it was handled."""


class AskTimeoutError(ActorRuntimeError, TimeoutError):
    """No answer in time; the message may or may not have been handled."""


class ActorFailedError(ActorRuntimeError):
    """The actor failed while handling the message. In its process, the cause is `__cause__`; elsewhere, the text names it."""


class RemoteError(ActorRuntimeError):
    """A declared error of an actor in another process: `kind` is the class's name, `text` its `str`."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(kind, text)
        self.kind = kind
        self.text = text

    def __str__(self) -> str:
        return f"{self.kind}: {self.text}"


class ProtocolError(ActorRuntimeError):
    """The peer's fault: bytes that are no valid frame."""


class StartError(ActorRuntimeError):
    """An actor or node did not become ready; the text says why."""


class OsProcessDiedError(ActorRuntimeError):
    """An OS process that an actor stands for died. The actor raises it to fail, and its supervisor restarts it.

    `signal` is a name such as SIGKILL where a signal ended it; `exit_code` is there otherwise, None where it is not known.
    """

    def __init__(self, command: str, pid: int, *, signal: str | None = None, exit_code: int | None = None) -> None:
        super().__init__(command, pid, signal, exit_code)
        self.command = command
        self.pid = pid
        self.signal = signal
        self.exit_code = exit_code

    def __str__(self) -> str:
        how = f"was killed by {self.signal}" if self.signal else f"exited with {self.exit_code}"
        return f"{self.command} (pid {self.pid}) {how}"


class RunDirectoryError(ActorRuntimeError):
    """The run directory cannot be used; the text says why and what to do."""


class RunDirectoryBusyError(RunDirectoryError):
    """Another kernel has the run directory; `holder` is its pid where it is known."""

    def __init__(self, text: str, *, holder: int | None) -> None:
        super().__init__(text)
        self.holder = holder
