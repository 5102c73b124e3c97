"""What a client may ask a kernel, and what it answers: msgpack in frames with a length before each, over a unix socket.

One connection carries one question at a time. A question is answered by one reply, but `FollowEvents` by many.
"""

from msgspec import Raw, Struct

from ..events import Event
from ..snapshot import TreeSnapshot

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


Question = Ping | GetTree | FollowEvents | KillNode | StartAgain | Stop | Ask


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


class Started(Struct, frozen=True, tag="started"):
    """The child is running."""

    path: str


class Stopping(Struct, frozen=True, tag="stopping"):
    """The tree is about to stop; these processes end."""

    pids: list[int]


class Answer(Struct, frozen=True, tag="answer"):
    """An actor's reply, as msgpack."""

    body: Raw


class Refused(Struct, frozen=True, tag="refused"):
    """The question could not be answered. `kind` is the class name of the error; `declared` where an actor declares it."""

    kind: str
    text: str
    declared: bool = False


Reply = Pong | Tree | Events | Killed | Started | Stopping | Answer | Refused
