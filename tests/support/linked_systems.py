"""Systems of one process whose links meet over a wire that a test holds."""

from actors.runtime import ChildSpec
from actors.runtime.assembly import assemble
from actors.runtime.clock import SystemClock
from actors.runtime.future import Future
from actors.runtime.link import Link
from actors.runtime.ref_wire import ref_codec
from actors.runtime.testing import EventProbe
from actors.runtime.transport.base import NodeAddress
from actors.runtime.wire.codec import join

PATIENCE_S = 10


class Wire:
    """Carries envelopes between links of one process, at once unless it is `cut`; `takes` says whether a send is taken."""

    def __init__(self):
        self.receivers = {}
        self.cut = False
        self.takes = True
        self.held = []

    def open(self, identity, endpoint, receiver):
        wire = self
        self.receivers[endpoint] = self.receivers[identity.encode()] = receiver

        class End:
            def send(self, address, envelope):
                if not wire.takes:
                    return False
                wire.carry(address.endpoint, identity.encode(), envelope)
                return True

            def reply(self, peer, envelope):
                wire.carry(peer, b"", envelope)

            def forget(self, address):
                receiver.on_forgotten(address)

            def close(self):
                pass

        return End()

    def carry(self, to, peer, envelope):
        if self.cut:
            self.held.append((to, peer, envelope))
        elif to in self.receivers:
            self.receivers[to].on_frame(peer, join([envelope]))

    def mend(self):
        self.cut = False
        held, self.held = self.held, []
        for to, peer, envelope in held:
            self.carry(to, peer, envelope)


class Side:
    """One system and its link."""

    def __init__(self, wire, path):
        self.parts = assemble("test", path, SystemClock())
        self.address = NodeAddress(path, 1, f"wire:{path}")
        self.link = Link(
            self.parts.local(path, lambda _: None), ref_codec(self.parts.ref), path, self.address.endpoint, wire.open
        )
        self.parts.delivery.link = self.link
        self.events = EventProbe(self.parts.events)

    def spawn(self, path, actor, **fields):
        ready = Future()
        cell = self.parts.household.new_cell(path, ChildSpec(path.rpartition("/")[2], actor, **fields), None, ready.set_result)
        cell.start(1)
        ready.get(PATIENCE_S)

    def ref(self, path):
        return self.parts.ref(path)
