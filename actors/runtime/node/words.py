"""What the kernel and its nodes say to each other over the channel; data only, never pickle."""

from msgspec import Struct

from ..events import Event
from ..snapshot import ActorSnapshot, ExitSnapshot
from ..transport.base import NodeAddress


class Boot(Struct, frozen=True, array_like=True, tag=1):
    """Kernel to node, first: what to be.

    `spec` is `encode_spec`'s bytes; `origins` are the files that the named packages must come from; `lives` has the last
    incarnation of each path below the node, and `ended` how the last life of the node ended.
    """

    system: str
    path: str
    incarnation: int
    spec: bytes
    run_dir: str
    log_file: str
    endpoint: str
    origins: dict[str, str]
    lives: dict[str, int]
    ended: ExitSnapshot | None


class Routes(Struct, frozen=True, array_like=True, tag=2):
    """Kernel to node: every node's path, and the addresses of those that are up."""

    nodes: list[str]
    addresses: list[NodeAddress]


class AskSnapshot(Struct, frozen=True, array_like=True, tag=3):
    """Kernel to node: say how you are."""

    number: int


class StopNode(Struct, frozen=True, array_like=True, tag=4):
    """Kernel to node: stop in order, then leave."""


class Hello(Struct, frozen=True, array_like=True, tag=5):
    """Node to kernel, first: who it is and which files its packages were loaded from."""

    pid: int
    origins: dict[str, str]


class Ready(Struct, frozen=True, array_like=True, tag=6):
    """Node to kernel: the actor at the node's top is running."""


class Exiting(Struct, frozen=True, array_like=True, tag=7):
    """Node to kernel, last: the actor at the node's top has ended, in this way; so does the process."""

    exit: ExitSnapshot


class Report(Struct, frozen=True, array_like=True, tag=8):
    """Node to kernel: an event; `dropped` counts those that were lost because the kernel did not read."""

    event: Event
    dropped: int


class SnapshotReply(Struct, frozen=True, array_like=True, tag=9):
    """Node to kernel: how it is. `number` is the question's; `lives` has the incarnation of each path."""

    number: int
    top: ActorSnapshot


ToNode = Boot | Routes | AskSnapshot | StopNode
ToKernel = Hello | Ready | Exiting | Report | SnapshotReply
