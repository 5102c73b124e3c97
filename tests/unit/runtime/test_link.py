"""Links of two systems over a wire that the test holds: every ask resolves once, and nothing that is sent can break the link."""

import threading

import msgpack
import msgspec
import pytest

from actors.runtime import Actor, Message, Request
from actors.runtime.errors import (
    ActorFailedError,
    AskTimeoutError,
    DeliveryError,
    NodeUnavailableError,
    NoSuchActorError,
    ProtocolError,
    RejectedError,
    RemoteError,
    TerminatedError,
    UnsendableError,
)
from actors.runtime.transport.base import NodeAddress
from actors.runtime.wire.codec import ErrorFrame, ReplyFrame, join
from tests.support.actors_for_tests import Account, Deposit, GetTotal, Servant, Total, Unheard
from tests.support.linked_systems import Side, Wire

PATIENCE_S = 10


@pytest.fixture
def wire():
    return Wire()


@pytest.fixture
def sides(wire):
    sides = [Side(wire, path) for path in ("/near", "/far")]
    for side in sides:
        side.link.set_routes(["/near", "/far"], [side.address for side in sides])
    yield sides
    for side in sides:
        side.events.close()
        side.parts.close()


@pytest.fixture
def near(sides):
    return sides[0]


@pytest.fixture
def far(sides):
    sides[1].spawn("/far", Servant)
    return sides[1]


def test_tells_and_asks_arrive_in_order_and_are_answered(near, far):
    ref = near.ref("/far")

    ref.tell(["note", 1])
    ref.tell(["note", 2])

    assert ref.ask(["note", 3]) == [1, 2, 3]


def test_typed_messages_and_their_replies_keep_their_types(near, far):
    far.spawn("/far/account", Account)
    ref = near.ref("/far/account")

    ref.tell(Deposit(Total(40)))

    assert ref.ask(GetTotal(extra=2)) == Total(42)


def test_a_message_that_the_actor_does_not_know_is_rejected_and_harms_nobody(near, far):
    far.spawn("/far/account", Account)
    ref = near.ref("/far/account")

    with pytest.raises(RejectedError, match="/far/account does not know messages of type 'Unheard'"):
        ref.ask(Unheard())
    ref.tell(Unheard())
    assert far.events.expect("message.dead_lettered", "/far/account").fields["message_type"] == "Unheard"
    assert ref.ask(GetTotal()) == Total(0)


def test_a_message_that_does_not_fit_its_type_is_rejected_and_harms_nobody(near, far):
    class Forged(Message, tag="GetTotal"):
        extra: str

    far.spawn("/far/account", Account)
    ref = near.ref("/far/account")

    with pytest.raises(RejectedError, match="not a GetTotal"):
        ref.ask(Forged("many"))
    assert ref.ask(GetTotal()) == Total(0)


def test_a_ref_in_a_message_can_be_used_on_the_other_side(near, far):
    near.spawn("/near", Servant)

    assert near.ref("/far").ask(["tell", near.ref("/near"), ["note", "hello"]]) == "<ActorRef /near>"

    assert near.ref("/near").ask(["note", 1]) == ["hello", 1]
    assert near.ref("/far").ask(["own_ref"]) == far.ref("/far")


def test_a_declared_error_comes_as_data(near, far):
    with pytest.raises(RemoteError) as raised:
        near.ref("/far").ask(["raise", "LookupError", "not here"])

    assert (raised.value.kind, raised.value.text) == ("LookupError", "not here")


@pytest.mark.parametrize("kind", ["DeliveryError", "TerminatedError"])
def test_the_runtimes_own_errors_keep_their_class_although_the_actor_declares_one_above_them(near, far, kind):
    far.spawn("/far/odd", Odd)
    with pytest.raises(TerminatedError if kind == "TerminatedError" else RemoteError, match="of another"):
        near.ref("/far/odd").ask(kind)


def test_a_failure_is_told_as_one(near, far):
    with pytest.raises(ActorFailedError, match="/far failed on list: ValueError: told to"):
        near.ref("/far").ask(["raise", "ValueError", "told to"])


@pytest.mark.parametrize("kind", ["LookupError", "ValueError"])
def test_an_error_with_a_text_that_is_no_unicode_reaches_the_asker(near, far, kind):
    """A file name in an error is enough for that."""
    far.spawn("/far/odd", Odd)

    with pytest.raises((RemoteError, ActorFailedError), match=r"a\\udc80b"):
        near.ref("/far/odd").ask(kind)


def test_an_error_that_cannot_say_what_it_is_reaches_the_asker(near, far):
    far.spawn("/far/odd", Odd)

    with pytest.raises(RemoteError, match="MuteError"):
        near.ref("/far/odd").ask("mute")
    assert near.ref("/far/odd").ask("fine") == "fine"


def test_a_reply_that_cannot_be_sent_is_the_askers_error_and_the_actor_lives_on(near, far):
    with pytest.raises(UnsendableError, match="the reply of /far: object cannot cross a process"):
        near.ref("/far").ask(["return_object"])

    assert near.ref("/far").ask(["return", 1]) == 1


def test_a_message_that_cannot_be_sent_is_the_senders_error(near, far):
    with pytest.raises(UnsendableError):
        near.ref("/far").tell(["return", object()])
    with pytest.raises(UnsendableError):
        near.ref("/far").ask(["return", object()])


def test_a_node_that_is_asked_for_an_actor_of_another_says_that_it_is_not_here_and_worth_another_try(near, far, wire):
    """The sender's node has not heard of that one yet: nobody knows in which order two processes hear of a third."""
    near.link.set_routes(["/near", "/far"], [near.address, far.address])
    far.link.set_routes(["/near", "/far", "/far/new"], [near.address, far.address])

    with pytest.raises(NodeUnavailableError, match="/far/new lives in /far/new, which the sender's node does not know of yet"):
        near.ref("/far/new").ask(1)
    near.ref("/far/new").tell(1)
    assert "try again" in far.events.expect("message.dead_lettered", "/far/new").fields["reason"]


def test_nobody_at_that_path(near, far):
    with pytest.raises(NoSuchActorError, match="nobody lives at /far/nobody"):
        near.ref("/far/nobody").ask(1)


def test_an_actor_reaches_itself_before_anybody_has_told_its_node_of_others(wire):
    side = Side(wire, "/alone")
    side.spawn("/alone", Servant)

    assert side.ref("/alone").ask(["return", 1]) == 1
    with pytest.raises(NodeUnavailableError):
        side.ref("/elsewhere").ask(1)
    side.events.close()
    side.parts.close()


def test_an_answer_that_is_too_late_is_an_ask_timeout_and_changes_nothing_when_it_comes(near, far, wire):
    wire.cut = True
    future = near.ref("/far").ask(["return", 1], timeout=0.05, block=False)

    with pytest.raises(AskTimeoutError, match=r"/far did not answer within 0\.05 s"):
        future.get(PATIENCE_S)
    wire.mend()
    assert isinstance(future.error(), AskTimeoutError)


def test_the_end_of_the_node_resolves_what_was_asked_of_it_at_once(near, far, wire):
    wire.cut = True
    future = near.ref("/far").ask(["return", 1], timeout=None, block=False)

    near.link.set_routes(["/near", "/far"], [near.address])

    assert isinstance(future.error(), TerminatedError)
    with pytest.raises(NodeUnavailableError, match="/far, where /far lives, is not up"):
        near.ref("/far").ask(1)
    with pytest.raises(NodeUnavailableError):
        near.ref("/far").tell(1)


def test_a_new_life_of_a_node_resolves_what_was_asked_of_the_old_one(near, far, wire):
    wire.cut = True
    future = near.ref("/far").ask(["return", 1], timeout=None, block=False)

    near.link.set_routes(["/near", "/far"], [near.address, NodeAddress("/far", 2, "wire:/far")])

    assert isinstance(future.error(), TerminatedError)


def test_a_transport_that_takes_no_more_is_a_full_mailbox_for_the_sender(near, far, wire):
    wire.takes = False

    with pytest.raises(RejectedError, match="too many messages wait for /far"):
        near.ref("/far").tell(1)
    with pytest.raises(RejectedError):
        near.ref("/far").ask(1)


def test_a_send_that_crosses_the_end_of_the_node_says_that_it_ended(near, far, wire):
    wire.takes = False
    address = near.link._address("/far", "/far")
    near.link.set_routes(["/near", "/far"], [near.address])
    near.link._address = lambda node, path: address

    with pytest.raises(TerminatedError, match="/far ended"):
        near.ref("/far").tell(1)


def test_what_the_transport_gives_back_is_accounted_for(near, far, wire):
    wire.cut = True
    ask = near.ref("/far").ask(["return", 1], timeout=None, block=False)
    near.ref("/far").tell(["note", 1])
    envelopes = [envelope for _, _, envelope in wire.held]
    reply = near.link._codec.encode(ReplyFrame(5, msgspec.Raw(b"\xc0")))

    near.link.on_unsent([*envelopes, reply], "it ended before they were sent")

    with pytest.raises(TerminatedError, match="/far: it ended before they were sent"):
        ask.get(0)
    assert near.parts.dead_letters.snapshot()[0].reason == "it ended before they were sent"
    near.events.expect("reply.dropped", correlation=5)


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        b"garbage",
        b"\x92\x01\x91\x95\x01\xa1\xff\xa1b\xa0\xc0",
        b"\x91" * 100_000,
        msgpack.packb([7, []]),
        msgpack.packb([1, [[2, 1, "/far", "", float("nan"), "GetTotal"]]]),
    ],
    ids=lambda frame: repr(frame[:20]),
)
def test_a_malformed_frame_is_rejected_counted_and_reported_and_harms_nobody(near, far, frame):
    far.link.on_frame(b"/near", frame)

    assert far.link.rejected == 1
    told = far.events.expect("frame.rejected", "/far").fields
    assert (told["peer"], told["count"]) == ("/near", 1)
    assert near.ref("/far").ask(["return", 1]) == 1


@pytest.mark.parametrize(
    "envelope",
    [
        [1, "no path", "", "", None],
        [1, "/far", "\x00" * 50, "", ["return", 1]],
        [2, 1, "/far", "", -5.0, "", ["return", 1]],
        [2, 1, "/far", "", None, "proxy.call", {"type": "proxy.call", "attribute": "__class__"}],
        [2, 1, "/far", "", None, "proxy.set", {"type": "proxy.set", "attribute": "_lives", "value": 1}],
        [3, 12345, "an answer to nobody"],
        [4, 12345, "SystemExit", "an error for nobody", False],
    ],
    ids=repr,
)
def test_an_odd_envelope_from_a_stranger_harms_nobody(near, far, envelope):
    far.link.on_frame(b"a stranger", msgpack.packb([1, [envelope]]))

    assert near.ref("/far").ask(["return", 1]) == 1


def test_an_answer_of_another_type_is_the_peers_fault(near, far):
    with pytest.raises(ProtocolError, match="not a Total"):
        far.spawn("/far/odd", Odd)
        near.ref("/far/odd").ask(WantsTotal())


def test_a_second_answer_changes_nothing(near, far, wire):
    wire.cut = True
    future = near.ref("/far").ask(["return", "first"], block=False)
    wire.mend()
    assert future.get(PATIENCE_S) == "first"

    for answer in (ReplyFrame(1, msgspec.Raw(b"\x02")), ErrorFrame(1, "ValueError", "x", declared=True)):
        near.link.on_frame(b"", join([near.link._codec.encode(answer)]))

    assert future.get(0) == "first"


def test_an_error_that_only_the_peer_knows_is_data_and_never_a_class_of_ours(near, far, wire):
    wire.cut = True
    future = near.ref("/far").ask(["return", 1], block=False)

    near.link.on_frame(b"", join([near.link._codec.encode(ErrorFrame(1, "SystemExit", "3", declared=False))]))

    assert isinstance(future.error(), RemoteError)


def test_closing_resolves_what_is_under_way(near, far, wire):
    wire.cut = True
    future = near.ref("/far").ask(["return", 1], timeout=None, block=False)

    near.link.close()

    with pytest.raises(TerminatedError, match="this node ended before /far answered"):
        future.get(0)


def test_every_ask_resolves_once_while_answers_and_the_end_of_the_node_race(near, far):
    futures, resolved, started = [], [], threading.Barrier(3)

    def ask():
        started.wait(5)
        for number in range(150):
            future = near.ref("/far").ask(["return", number], timeout=None, block=False)
            future.add_done_callback(resolved.append)
            futures.append(future)

    def flap():
        started.wait(5)
        for incarnation in range(1, 60):
            near.link.set_routes(["/near", "/far"], [near.address])
            near.link.set_routes(["/near", "/far"], [near.address, NodeAddress("/far", incarnation, "wire:/far")])

    threads = [threading.Thread(target=ask), threading.Thread(target=ask), threading.Thread(target=flap)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)

    for future in futures:
        try:
            future.get(PATIENCE_S)
        except (TerminatedError, NodeUnavailableError):
            pass
    assert sorted(map(id, resolved)) == sorted(map(id, futures))


class MuteError(Exception):
    """Cannot say what it is."""

    def __str__(self):
        raise RuntimeError("no")


class WantsTotal(Request[Total]):
    """Is answered by something else."""


class Odd(Actor):
    """Answers in ways that are hard to send."""

    expected_errors = (LookupError, MuteError, DeliveryError)
    messages = (WantsTotal,)

    def on_receive(self, message):
        match message:
            case "LookupError":
                raise LookupError("a\udc80b")
            case "ValueError":
                raise ValueError("a\udc80b")
            case "DeliveryError":
                raise DeliveryError("of another")
            case "TerminatedError":
                raise TerminatedError("of another")
            case "mute":
                raise MuteError
            case WantsTotal():
                return "no total"
        return message
