"""What the kernel and its nodes say to each other over the channel; data only, never pickle."""

from msgspec import Struct

from ..chaos.faults import InsideKind
from ..event import Event
from ..snapshot import ActorSnapshot, ExitSnapshot
from ..supervision.hung_actor import HungActor
from ..transport.base import NodeAddress


class Boot(Struct, frozen=True, array_like=True, tag=1):
    """Kernel to node, first: what to be.

    `spec` is `encode_spec`'s bytes; `origins` are the files that the named packages must come from; `lives` has the last
    incarnation of each path below the node, and `ended` how the last life of the node ended. `flight` names the files of this
    life's recording. `search_path` are folders to import from, after all others.
    """

    system: str
    path: str
    incarnation: int
    spec: bytes
    run_dir: str
    flight: str
    endpoint: str
    origins: dict[str, str]
    lives: dict[str, int]
    ended: ExitSnapshot | None
    search_path: list[str] = []


class Routes(Struct, frozen=True, array_like=True, tag=2):
    """Kernel to node: every node's path, and the addresses of those that are up."""

    nodes: list[str]
    addresses: list[NodeAddress]


class AskSnapshot(Struct, frozen=True, array_like=True, tag=3):
    """Kernel to node: say how you are."""

    number: int


class StopNode(Struct, frozen=True, array_like=True, tag=4):
    """Kernel to node: stop in order, then leave."""


class Reload(Struct, frozen=True, array_like=True, tag=20):
    """Kernel to node: let the supervisor at the node's top become what this spec (by `encode_spec`) says."""

    spec: bytes


class StartAgain(Struct, frozen=True, array_like=True, tag=21):
    """Kernel to node: start the actor at `path` again, which is parked or stopped, with a clean record."""

    path: str


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


class LogLines(Struct, frozen=True, array_like=True, tag=60):
    """Node to kernel: log lines, each a JSON document without the end of its line; `lost` were dropped before or among them."""

    lines: list[bytes]
    lost: int


class InjectFault(Struct, frozen=True, array_like=True, tag=30):
    """Kernel to node: have the actor at `path` commit a fault of this kind. Only a tree that allows it sends this."""

    path: str
    kind: InsideKind


class StepReached(Struct, frozen=True, array_like=True, tag=40):
    """Node to kernel: how far its start has come."""

    step: str


class Beat(Struct, frozen=True, array_like=True, tag=50):
    """Node to kernel, several times a second: it is there, and these actors of its hang."""

    hung: list[HungActor]


ToNode = Boot | Routes | AskSnapshot | StopNode | Reload | StartAgain | InjectFault
ToKernel = Hello | Ready | Exiting | Report | SnapshotReply | LogLines | Beat | StepReached
