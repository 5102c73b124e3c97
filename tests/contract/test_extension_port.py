"""What every adapter of ExtensionPort promises."""

import asyncio

import pytest

from symphony.domain.errors import (
    ConflictError,
    DeadlineExceededError,
    ExtensionFailedError,
    InvalidRequestError,
    NotBuiltError,
    NotFoundError,
    UnavailableError,
)

PLENTY_S = 20.0


async def call(extension, operation, **arguments):
    return await extension.port.invoke(extension.good_id, operation, arguments, deadline_s=PLENTY_S)


async def take(events, count):
    return [await anext(events) for _ in range(count)]


async def test_an_installed_extension_says_what_it_is(extension):
    state = await extension.port.install(extension.good)

    assert (state.id, state.version, state.kind) == (extension.good_id, "1.2.3", "operator")
    assert state.directory == extension.good
    assert state.operations == ("count", "echo", "fail", "hang", "refuse")
    assert state.isolation in {"full", "standard", "degraded", "none"}
    assert await extension.port.extensions() == (state,)


async def test_installing_again_is_the_same_as_once(extension):
    state = await extension.port.install(extension.good)
    await call(extension, "count")

    assert await extension.port.install(extension.good) == state
    assert await extension.port.extensions() == (state,)
    assert await call(extension, "count") == {"calls": 2}


async def test_another_content_under_an_installed_id_is_refused_and_changes_nothing(extension):
    state = await extension.port.install(extension.good)

    with pytest.raises(ConflictError):
        await extension.port.install(extension.other_content)
    assert await extension.port.extensions() == (state,)


async def test_another_content_can_be_installed_after_uninstalling(extension):
    await extension.port.install(extension.good)
    await extension.port.uninstall(extension.good_id)

    assert (await extension.port.install(extension.other_content)).id == extension.good_id


@pytest.mark.parametrize(
    ("folder", "error"),
    [("missing", NotFoundError), ("wrong", InvalidRequestError), ("not_built", NotBuiltError), ("dead", ExtensionFailedError)],
)
async def test_a_folder_that_cannot_be_installed_is_refused_and_nothing_is_installed(extension, folder, error):
    with pytest.raises(error):
        await extension.port.install(getattr(extension, folder))
    assert await extension.port.extensions() == ()


async def test_every_problem_of_a_manifest_is_listed(extension):
    with pytest.raises(InvalidRequestError) as caught:
        await extension.port.install(extension.wrong)

    assert len(caught.value.problems) == 2


async def test_an_operation_gets_its_arguments_and_gives_its_result(extension):
    await extension.port.install(extension.good)
    arguments = {"none": None, "flag": True, "int": -(2**63), "float": 1.5, "text": "é😀", "bytes": b"\xff", "deep": [{"x": [1]}]}

    result = await call(extension, "echo", **arguments)

    assert repr(result) == repr(arguments)


async def test_an_extension_or_operation_that_is_not_there_is_not_found(extension):
    with pytest.raises(NotFoundError):
        await call(extension, "echo")
    await extension.port.install(extension.good)
    with pytest.raises(NotFoundError):
        await call(extension, "eco")


async def test_an_operation_that_raises_has_failed_and_the_next_call_is_answered(extension):
    await extension.port.install(extension.good)

    with pytest.raises(ExtensionFailedError, match="boom"):
        await call(extension, "fail")
    assert await call(extension, "echo", x=1) == {"x": 1}


async def test_an_operation_may_refuse_its_arguments(extension):
    await extension.port.install(extension.good)

    with pytest.raises(InvalidRequestError, match="no thanks"):
        await call(extension, "refuse")


async def test_arguments_that_are_no_plain_data_are_refused(extension):
    await extension.port.install(extension.good)

    with pytest.raises(InvalidRequestError):
        await call(extension, "echo", x=object())


async def test_an_operation_that_hangs_is_given_up_at_its_deadline_and_the_next_call_is_answered(extension):
    await extension.port.install(extension.good)

    with pytest.raises(DeadlineExceededError):
        await extension.port.invoke(extension.good_id, "hang", {}, deadline_s=0.2)
    assert await call(extension, "echo", x=1) == {"x": 1}


async def test_calls_are_handled_in_the_order_they_were_made(extension):
    await extension.port.install(extension.good)

    results = await asyncio.gather(*(call(extension, "count") for _ in range(10)))

    assert results == [{"calls": n} for n in range(1, 11)]


async def test_an_uninstalled_extension_is_gone(extension):
    await extension.port.install(extension.good)

    await extension.port.uninstall(extension.good_id)

    assert await extension.port.extensions() == ()
    with pytest.raises(NotFoundError):
        await call(extension, "echo")
    with pytest.raises(NotFoundError):
        await extension.port.uninstall(extension.good_id)


async def test_what_happens_to_an_extension_is_told_in_order(extension):
    events = extension.port.events()
    await extension.port.install(extension.good)
    await extension.port.install(extension.good)
    await call(extension, "echo")
    with pytest.raises(ExtensionFailedError):
        await call(extension, "fail")
    with pytest.raises(InvalidRequestError):
        await call(extension, "refuse")
    await extension.port.uninstall(extension.good_id)

    heard = await take(events, 4)

    assert [event.kind for event in heard] == ["installed", "invoked", "failed", "uninstalled"]
    assert {event.extension for event in heard} == {extension.good_id}
    assert heard[1].detail == "echo"


async def test_a_closed_iterator_ends_and_leaves_the_others_alone(extension):
    closed, other = extension.port.events(), extension.port.events()
    await closed.aclose()
    await extension.port.install(extension.good)

    assert await anext(closed, None) is None
    assert (await anext(other)).kind == "installed"


async def test_a_reader_that_falls_behind_is_told_and_harms_nobody(extension):
    slow = extension.port.events()
    await extension.port.install(extension.good)
    for _ in range(1_100):
        await call(extension, "count")
    with pytest.raises(UnavailableError):
        await take(slow, 1_001)
    assert await anext(slow, None) is None
    assert await call(extension, "count") == {"calls": 1_101}
