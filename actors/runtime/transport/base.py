"""Transport: moves encoded envelopes between nodes and knows nothing of what is in them."""

from collections.abc import Callable
from typing import Protocol

from msgspec import Struct


class NodeAddress(Struct, frozen=True):
    """One life of a node and where it listens. A new life has a new endpoint, so nothing meant for the old one can reach it."""

    path: str
    incarnation: int
    endpoint: str


class Receiver(Protocol):
    """Who a transport tells. Called on the transport's thread; must not block."""

    def on_frame(self, peer: bytes, frame: bytes) -> None:
        """A frame has come from `peer`, who can be answered by `Transport.reply`."""
        ...

    def on_unsent(self, envelopes: list[bytes], reason: str) -> None:
        """Accepted envelopes could not be sent."""
        ...

    def on_forgotten(self, address: NodeAddress) -> None:
        """Nothing more will come from that life: what it still said has been handed over."""
        ...

    def on_failed(self, reason: str) -> None:
        """The transport has failed and moves nothing any more."""
        ...


class Transport(Protocol):
    """Sends to nodes and answers peers. Any thread may call; nothing blocks."""

    def send(self, address: NodeAddress, envelope: bytes) -> bool:
        """Queue an encoded envelope for a node; False where too many wait already."""
        ...

    def reply(self, peer: bytes, envelope: bytes) -> None:
        """Queue an encoded envelope for the peer of an `on_frame`."""
        ...

    def forget(self, address: NodeAddress) -> None:
        """Close the way to a life that has ended: send it nothing more, and read what it still said.

        What waits for it goes to `on_unsent`, and at last `on_forgotten` is called.
        """
        ...

    def close(self) -> None:
        """Send what is queued if that takes no time, then close every socket."""
        ...


Open = Callable[[str, str, Receiver], Transport]
"""Opens a transport: own identity, own endpoint, receiver."""
