"""Probes: what is expected is given, and what is missing, wrong or too much is an AssertionError that says so."""

import pytest

from actors.runtime.testing import EventProbe, TestProbe


def test_messages_are_given_in_order(probe):
    probe.ref.tell(1)
    probe.ref.tell("two")

    assert (probe.expect(), probe.expect("two")) == (1, "two")


def test_a_class_fits_each_of_its_values_and_a_value_its_equals(probe):
    probe.ref.tell(1)
    probe.ref.tell({"a": 1})

    assert probe.expect(int) == 1
    assert probe.expect({"a": 1}) == {"a": 1}


@pytest.mark.parametrize("wanted", [str, 2])
def test_a_message_that_does_not_fit_is_named(probe, wanted):
    probe.ref.tell(1)

    with pytest.raises(AssertionError, match=r"/probe got 1, where .* was due"):
        probe.expect(wanted)


def test_a_message_that_does_not_come_is_named(probe):
    with pytest.raises(AssertionError, match=r"/probe got nothing within 0\.010 s, where 'x' was due"):
        probe.expect("x", timeout=0.01)


def test_nothing_has_come(probe):
    probe.expect_none()


def test_what_was_sent_before_is_seen_by_expect_none(probe):
    probe.ref.tell("unexpected")

    with pytest.raises(AssertionError, match="/probe got 'unexpected', where nothing was due"):
        probe.expect_none()


def test_the_expectations_of_a_block_share_its_time(probe):
    with probe.within(0.02):
        for _ in range(2):
            with pytest.raises(AssertionError, match="got nothing within"):
                probe.expect(timeout=60)

    probe.ref.tell(1)
    assert probe.expect() == 1


def test_several_probes_live_in_one_system(system):
    first, second = TestProbe(system, "first"), TestProbe(system, "second")

    first.ref.tell(1)

    assert first.expect() == 1
    second.expect_none()


def test_an_event_is_found_by_type_path_and_fields_and_others_are_passed_over(system, events):
    for number in (1, 2):
        system.events.publish("thing.done", "/a", number=number)
    system.events.publish("thing.done", "/b", number=3)

    assert events.expect("thing.done", number=2).path == "/a"
    assert events.expect("thing.done", "/b").fields["number"] == 3


def test_an_event_that_does_not_come_is_named_with_those_that_came(system, events):
    system.events.publish("thing.done", "/a")

    with pytest.raises(AssertionError, match=r"no thing\.lost of /a .* but .*thing\.done /a"):
        events.expect("thing.lost", "/a", timeout=0.01)


def test_a_closed_probe_follows_no_longer(system):
    probe = EventProbe(system.events)
    probe.close()

    system.events.publish("thing.done", "/a")

    with pytest.raises(AssertionError):
        probe.expect("thing.done", timeout=0.01)
