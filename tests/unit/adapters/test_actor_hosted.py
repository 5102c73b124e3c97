"""The adapter before anything is sent, and what it makes of each way in which actors do not answer.

What it does with real ones is in the contract suite.
"""

import asyncio
import math
from collections.abc import Iterator

import pytest

from actors.extensions.messages import MAX_ARGUMENTS, Describe, Install, Installation, Invoke, ListExtensions, Uninstall
from actors.runtime import Actor, ActorSystem, ChildSpec, SupervisorSpec
from adapters.extension.actor_hosted import LONGEST_S, MARGIN_S, ActorExtensionAdapter
from symphony.domain.errors import (
    DeadlineExceededError,
    ExtensionFailedError,
    InvalidRequestError,
    NotFoundError,
    SymphonyError,
    UnavailableError,
)
from symphony.ports.extension import ExtensionState

BOUND_S = 20.0
NAME = "test.good"
STATE = ExtensionState(NAME, "operator", "1.0.0", "/good", "sha256:0", ("run",), "none")


class Registry(Actor):
    """Has one extension, and one more that does not run."""

    messages = (Install, Uninstall, ListExtensions)
    expected_errors = (SymphonyError,)

    def on_receive(self, message):
        match message:
            case Install(directory):
                return Installation(STATE, is_new=directory == "/new")
            case ListExtensions():
                return (STATE, ExtensionState("test.away", *[""] * 4, (), "none"))
            case Uninstall():
                return None
            case _:
                return super().on_receive(message)


class Host(Actor):
    """Answers with what it was asked, or does as the operation says."""

    messages = (Describe, Invoke)
    expected_errors = (SymphonyError,)

    def on_receive(self, message):
        match message.operation:
            case "fail":
                raise ExtensionFailedError("boom")
            case "break":
                raise RuntimeError("a fault of ours")
            case _:
                return {"operation": message.operation, "deadline_s": message.deadline_s, **message.arguments}


class Deaf(Actor):
    """Handles nothing within a test's life."""

    dispatcher = "async"

    async def on_receive(self, message):
        await asyncio.Event().wait()


@pytest.fixture
def system() -> Iterator[ActorSystem]:
    children = [ChildSpec("registry", Registry), ChildSpec(NAME, Host), ChildSpec("test.deaf", Deaf, shutdown=0.1)]
    with ActorSystem("x", SupervisorSpec("root", children=[SupervisorSpec("extensions", children=children)])) as system:
        yield system


@pytest.fixture
def port(system: ActorSystem) -> ActorExtensionAdapter:
    return ActorExtensionAdapter(system.ref, timeout_s=BOUND_S)


def invoke(port, operation="run", arguments=None, *, extension=NAME, deadline_s=BOUND_S):
    return asyncio.run(port.invoke(extension, operation, arguments or {}, deadline_s=deadline_s))


def test_the_deadline_is_passed_on(port):
    assert invoke(port, deadline_s=1.5) == {"operation": "run", "deadline_s": 1.5}


def test_no_wait_is_for_ever(port):
    assert invoke(port, deadline_s=math.inf) == {"operation": "run", "deadline_s": LONGEST_S}


@pytest.mark.parametrize("deadline_s", [0.0, -1.0, -math.inf, math.nan])
def test_a_deadline_that_has_passed_sends_nothing(port, deadline_s):
    with pytest.raises(DeadlineExceededError, match="nothing was sent"):
        invoke(port, deadline_s=deadline_s)


def test_a_host_that_does_not_answer_is_given_up_after_the_margin(port):
    with pytest.raises(DeadlineExceededError, match=f"within {0.1 + MARGIN_S} s"):
        invoke(port, extension="test.deaf", deadline_s=0.1)


@pytest.mark.parametrize("operation", ["", "a b", "a.b", "\ud800", "9"])
def test_what_can_be_no_operation_is_not_found(port, operation):
    with pytest.raises(NotFoundError, match="has no operation"):
        invoke(port, operation)


@pytest.mark.parametrize("extension", ["test.nobody", "", "registry", "../registry", f"/{NAME}", f"{NAME}/", "\ud800", "x" * 600])
def test_what_is_not_installed_is_not_found(port, extension):
    with pytest.raises(NotFoundError, match="is installed"):
        invoke(port, extension=extension)


def test_an_installed_extension_that_does_not_run_is_unavailable(port):
    with pytest.raises(UnavailableError) as caught:
        invoke(port, extension="test.away")
    assert type(caught.value) is UnavailableError


def test_while_the_registry_is_away_nobody_is_called_not_installed(system):
    port = ActorExtensionAdapter(system.ref, path="/elsewhere")

    with pytest.raises(UnavailableError):
        invoke(port)
    for call in (lambda: port.install("/new"), lambda: port.uninstall(NAME), port.extensions):
        with pytest.raises(UnavailableError):
            asyncio.run(call())


def test_a_host_that_fails_is_unavailable(port):
    with pytest.raises(UnavailableError, match="a fault of ours"):
        invoke(port, "break")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"x": [{1}]}, r"arguments\['x'\]\[0\] is a set, which is not plain data"),
        ({1: 2}, "keys are text"),
        ({"x": 2**64}, "arguments: can't serialize ints"),
        ({"x": "\ud800"}, "arguments: .*surrogates"),
        ({"x": "x" * MAX_ARGUMENTS}, f"{MAX_ARGUMENTS} is the most"),
    ],
)
def test_arguments_that_cannot_be_sent_are_refused_with_their_place(port, arguments, told):
    with pytest.raises(InvalidRequestError, match=told):
        invoke(port, arguments=arguments)


@pytest.mark.parametrize("text", ["/\ud800"])
def test_a_path_that_cannot_be_sent_is_refused(port, text):
    with pytest.raises(InvalidRequestError, match="UTF-8"):
        asyncio.run(port.install(text))
    with pytest.raises(NotFoundError):
        asyncio.run(port.uninstall(text))


def test_events_tell_what_was_acknowledged_and_end_with_the_adapter(port):
    async def told() -> list[tuple[str, str]]:
        events = port.events()
        await port.install("/old")
        await port.install("/new")
        await port.invoke(NAME, "run", {}, deadline_s=BOUND_S)
        for operation in ("fail", "not one"):
            with pytest.raises((ExtensionFailedError, NotFoundError)):
                await port.invoke(NAME, operation, {}, deadline_s=BOUND_S)
        await port.uninstall(NAME)
        port.close()
        return [(event.kind, event.detail) async for event in events]

    assert asyncio.run(told()) == [("installed", "1.0.0"), ("invoked", "run"), ("failed", "boom"), ("uninstalled", "")]
