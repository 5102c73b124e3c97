"""What a client may ask a kernel, and what it answers: msgpack in frames with a length before each, over a unix socket.

One connection carries one question at a time. A question is answered by one reply, but `FollowEvents` by many.
"""

from msgspec import Raw, Struct

from ..chaos.faults import InsideKind
from ..event import Event
from ..snapshot import TreeSnapshot
from ..supervision.changes import Change

VERSION = 1


class Ping(Struct, frozen=True, tag="ping"):
    """Are you there? Answered by `Pong`."""

    version: int = VERSION


class GetTree(Struct, frozen=True, tag="tree"):
    """Give the whole tree. Answered by `Tree`."""


class FollowEvents(Struct, frozen=True, tag="events"):
    """Give the kept events with a higher number than `since`; then, if `follow`, each new one.

    Answered by several `Events`, the last of which is empty.
    """

    since: int = 0
    follow: bool = False


class KillNode(Struct, frozen=True, tag="kill"):
    """Kill the process in which the actor at `path` runs. Answered by `Killed`."""

    path: str


class StartAgain(Struct, frozen=True, tag="restart"):
    """Start the child of `/` at `path`, which is parked or stopped, with a clean record. Answered by `Started`."""

    path: str


class InjectFault(Struct, frozen=True, tag="inject_fault"):
    """Have the actor at `path`, in its node, commit a fault of this kind. Answered by `Injected` before it happens.

    Refused by a tree that was not started so that it allows that.
    """

    path: str
    kind: InsideKind


class Stop(Struct, frozen=True, tag="stop"):
    """Stop the whole tree; `now` kills it. Answered by `Stopping` before it begins."""

    now: bool = False


class Ask(Struct, frozen=True, tag="ask"):
    """Ask the actor at `path`. `tag` is the message's type, empty for plain data; `body` is the message as msgpack.

    Answered by `Answer`.
    """

    path: str
    tag: str
    body: Raw
    timeout_s: float


class Tell(Struct, frozen=True, tag="tell"):
    """Send the actor at `path` plain data, as msgpack. Answered by `Told` once it is on its way."""

    path: str
    body: Raw


class GetSpec(Struct, frozen=True, tag="spec"):
    """Give what the kernel runs. Answered by `Spec`."""


class Reload(Struct, frozen=True, tag="reload"):
    """Become what `spec` (by `encode_spec`) says, and leave alone what it does not change.

    Answered by `Reloaded` when that has begun.
    `search_path` and `origin` are the plan's new ones.
    """

    spec: bytes
    search_path: tuple[str, ...]
    origin: dict[str, str]


Question = Ping | GetTree | FollowEvents | KillNode | StartAgain | Stop | Ask | Tell | GetSpec | Reload | InjectFault


class Pong(Struct, frozen=True, tag="pong"):
    """Here is who you speak to. `ready` is whether the whole tree has started."""

    version: int
    kernel: int
    warden: int
    system: str
    ready: bool


class Tree(Struct, frozen=True, tag="tree"):
    """The whole tree."""

    tree: TreeSnapshot


class Events(Struct, frozen=True, tag="events"):
    """Events, in order of their numbers."""

    events: list[Event]


class Killed(Struct, frozen=True, tag="killed"):
    """The process `pid` was killed; `paths` are the actors that ran in it."""

    pid: int
    paths: list[str]


class Injected(Struct, frozen=True, tag="injected"):
    """The process `pid`, the node `node`, has been told to have the actor at `path` commit a fault."""

    path: str
    node: str
    pid: int


class Started(Struct, frozen=True, tag="started"):
    """The child is running."""

    path: str


class Stopping(Struct, frozen=True, tag="stopping"):
    """The tree is about to stop; these processes end."""

    pids: list[int]


class Spec(Struct, frozen=True, tag="spec"):
    """The root's spec by `encode_spec`, and what whoever started the tree has left with it."""

    spec: bytes
    search_path: tuple[str, ...] = ()
    origin: dict[str, str] = {}
    allow_fault_injection: bool = False


class Reloaded(Struct, frozen=True, tag="reloaded"):
    """The tree is becoming what was asked for; this is what becomes of each path."""

    changes: list[Change]


class Told(Struct, frozen=True, tag="told"):
    """The message is on its way."""

    path: str


class Answer(Struct, frozen=True, tag="answer"):
    """An actor's reply, as msgpack."""

    body: Raw


class Refused(Struct, frozen=True, tag="refused"):
    """The question could not be answered. `kind` is the class name of the error; `declared` where an actor declares it."""

    kind: str
    text: str
    declared: bool = False


Reply = Pong | Tree | Events | Killed | Started | Stopping | Answer | Told | Injected | Spec | Reloaded | Refused
