"""What an actor class declares is checked when the class is made."""

import pytest

from actors.runtime import Actor, Message, Request
from actors.runtime.errors import NotBuiltError, SpecError
from actors.runtime.messages import reply_type_of


class Ping(Request[int]):
    """Answered by a number."""


class OtherPing(Message, tag="Ping"):
    """Has the tag of another."""


class Untagged(Message, tag=False):
    """Could not be told from plain data elsewhere."""


@pytest.mark.parametrize(
    ("attribute", "value", "rule"),
    [
        ("dispatcher", "threads", "dispatcher: 'threads': shared, pinned or async"),
        ("mailbox_capacity", 0, "mailbox_capacity: 0: a whole number, 1 or more"),
        ("mailbox_capacity", None, "mailbox_capacity: None"),
        ("expected_errors", ValueError, "expected_errors: <class 'ValueError'>: a tuple of exception classes"),
        ("expected_errors", (5,), "expected_errors: (5,)"),
        ("expected_errors", (KeyboardInterrupt,), "expected_errors: "),
        ("messages", Ping, "messages: <class"),
        ("messages", (dict,), "messages: "),
        ("messages", (Untagged,), "messages: "),
        ("messages", (Ping, OtherPing), "messages: "),
    ],
)
def test_a_class_attribute_that_makes_no_sense_is_refused(attribute, value, rule):
    with pytest.raises(SpecError) as raised:
        type("Odd", (Actor,), {attribute: value})

    assert f"Odd: {rule}" in str(raised.value)


def test_every_problem_of_a_class_is_listed_at_once():
    with pytest.raises(SpecError) as raised:
        type("Odd", (Actor,), {"dispatcher": "x", "mailbox_capacity": -1})

    assert len(raised.value.problems) == 2


@pytest.mark.parametrize("member", ["start", "_create_actor_inbox", "_create_future"])
def test_pykkas_ways_of_starting_an_actor_say_what_to_use(member):
    with pytest.raises(NotBuiltError):
        getattr(Actor, member)()


def test_a_request_says_what_answers_it_and_so_do_its_heirs():
    class Narrower(Ping):
        """An heir."""

    assert reply_type_of(Ping) is int
    assert reply_type_of(Narrower) is int
    assert reply_type_of(dict) is not int


@pytest.mark.parametrize("kind", ["pinned", "async"])
def test_what_a_class_inside_a_function_declares_counts(system, kind):
    class Local(Actor):
        dispatcher = kind
        mailbox_capacity = 7
        expected_errors = (LookupError,)

        def on_receive(self, message):
            raise LookupError(message)

    ref = system.spawn(Local, name="local")

    with pytest.raises(LookupError, match="x"):
        ref.ask("x")
    assert system.snapshot().root.find("/local").mailbox.capacity == 7


def test_the_class_that_is_spawned_is_the_one_in_hand_even_where_its_name_leads_elsewhere(system):
    renamed = type("Actor", (Actor,), {"on_receive": lambda _, message: message, "__module__": "actors.runtime.actor"})

    assert system.spawn(renamed, name="a").ask(3) == 3
