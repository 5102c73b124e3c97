"""What every adapter of PitPort promises."""

import asyncio

import pytest

from symphony.domain.artifact import Lineage, address_of
from symphony.domain.claim import Claim
from symphony.domain.errors import ConflictError, InvalidRequestError, NotFoundError, UnavailableError
from symphony.domain.model import ModelSpec
from symphony.domain.workflow import Input
from symphony.ports import PitEvent
from tests.support.workflows import workflow

SPEC = ModelSpec("m", "1", memory=5, leases=2)
DIAMOND = workflow({"a": [], "b": ["a"], "c": ["a"], "d": ["b", "c"]}, (Input("file", "path"),))
INPUTS = {"file": "/a"}
LINEAGE = Lineage("r", "a")


async def finish(port, *steps):
    for step in steps:
        await port.begin_step("r", step)
        await port.complete_step("r", step, {"by": step, "deep": [1, 2.5, {"x": None}]})


def step_of(run, step):
    return next(status for status in run.steps if status.id == step)


async def take(events, count):
    return [await anext(events) for _ in range(count)]


async def test_a_registered_model_is_cold_and_again_is_the_same_as_once(pit):
    status = await pit.port.register_model(SPEC)

    assert (status.spec, status.state, status.leases) == (SPEC, "cold", ())
    assert await pit.port.register_model(SPEC) == status
    with pytest.raises(ConflictError):
        await pit.port.register_model(ModelSpec("m", "2"))


async def test_models_are_given_sorted_by_name(pit):
    for name in ("b", "a"):
        await pit.port.register_model(ModelSpec(name, "1"))

    assert [status.spec.name for status in await pit.port.models()] == ["a", "b"]


async def test_a_model_is_leased_to_as_many_as_it_serves(pit):
    await pit.port.register_model(SPEC)

    first = await pit.port.acquire_model("m", "ann")
    second = await pit.port.acquire_model("m", "bob")

    assert (first.model, first.holder, second.holder) == ("m", "ann", "bob")
    assert first.id != second.id
    (status,) = await pit.port.models()
    assert (status.state, status.leases) == ("active", (first, second))
    with pytest.raises(ConflictError):
        await pit.port.acquire_model("m", "cid")


async def test_many_who_ask_at_once_are_never_given_more_than_it_serves(pit):
    await pit.port.register_model(SPEC)

    answers = await asyncio.gather(*(pit.port.acquire_model("m", f"h{n}") for n in range(8)), return_exceptions=True)

    assert sum(isinstance(answer, ConflictError) for answer in answers) == 6


async def test_a_released_lease_can_be_taken_again(pit):
    await pit.port.register_model(ModelSpec("m", "1", leases=1))
    lease = await pit.port.acquire_model("m", "ann")

    assert (await pit.port.release_model(lease.id)).state == "hot"
    with pytest.raises(NotFoundError):
        await pit.port.release_model(lease.id)
    assert (await pit.port.acquire_model("m", "bob")).holder == "bob"


async def test_an_unknown_model_is_not_found(pit):
    with pytest.raises(NotFoundError):
        await pit.port.acquire_model("m", "ann")


async def test_a_started_run_has_its_first_steps_ready(pit):
    run = await pit.port.start_run("r", DIAMOND, INPUTS)

    assert (run.id, run.workflow, run.inputs, run.state) == ("r", DIAMOND, INPUTS, "running")
    assert [status.state for status in run.steps] == ["ready", "waiting", "waiting", "waiting"]
    assert await pit.port.ready_steps("r") == ("a",)
    assert await pit.port.run("r") == run


async def test_starting_a_run_again_gives_it_as_it_is(pit):
    await pit.port.start_run("r", DIAMOND, INPUTS)
    await finish(pit.port, "a")

    assert await pit.port.start_run("r", DIAMOND, INPUTS) == await pit.port.run("r")
    with pytest.raises(ConflictError):
        await pit.port.start_run("r", DIAMOND, {"file": "/b"})


async def test_a_run_with_wrong_inputs_is_refused_with_every_problem_and_not_started(pit):
    with pytest.raises(InvalidRequestError) as caught:
        await pit.port.start_run("r", DIAMOND, {"fil": "/a"})

    assert len(caught.value.problems) == 2
    assert await pit.port.runs() == ()


async def test_a_run_goes_from_step_to_step_to_its_end(pit):
    await pit.port.start_run("r", DIAMOND, INPUTS)

    begun = await pit.port.begin_step("r", "a")
    assert (step_of(begun, "a").state, step_of(begun, "a").attempts) == ("running", 1)
    assert await pit.port.ready_steps("r") == ()
    done = await pit.port.complete_step("r", "a", {"x": [1, None]})
    assert step_of(done, "a").outputs == {"x": [1, None]}
    assert await pit.port.ready_steps("r") == ("b", "c")

    await finish(pit.port, "c", "b", "d")
    assert (await pit.port.run("r")).state == "done"


async def test_a_step_that_is_retried_is_ready_again_with_its_tries(pit):
    await pit.port.start_run("r", DIAMOND, INPUTS)
    await pit.port.begin_step("r", "a")

    retried = step_of(await pit.port.fail_step("r", "a", "boom", retry=True), "a")

    assert (retried.state, retried.attempts, retried.error) == ("ready", 1, "boom")
    assert step_of(await pit.port.begin_step("r", "a"), "a").attempts == 2


async def test_a_failed_step_fails_the_run(pit):
    await pit.port.start_run("r", DIAMOND, INPUTS)
    await pit.port.begin_step("r", "a")

    run = await pit.port.fail_step("r", "a", "boom", retry=False)

    assert (run.state, step_of(run, "a").state, step_of(run, "a").error) == ("failed", "failed", "boom")
    assert await pit.port.ready_steps("r") == ()


async def test_a_move_that_the_state_of_a_step_refuses_changes_nothing(pit):
    port = pit.port
    await port.start_run("r", DIAMOND, INPUTS)
    before = await port.run("r")

    for call in (port.begin_step("r", "b"), port.complete_step("r", "a", {}), port.fail_step("r", "a", "x", retry=True)):
        with pytest.raises(ConflictError):
            await call
    assert await port.run("r") == before


async def test_an_unknown_run_or_step_is_not_found(pit):
    port = pit.port
    await port.start_run("r", DIAMOND, INPUTS)

    for call in (
        port.run("q"),
        port.ready_steps("q"),
        port.begin_step("q", "a"),
        port.complete_step("q", "a", {}),
        port.fail_step("q", "a", "x", retry=True),
        port.begin_step("r", "z"),
        port.complete_step("r", "z", {}),
        port.fail_step("r", "z", "x", retry=True),
    ):
        with pytest.raises(NotFoundError):
            await call


async def test_runs_are_given_in_the_order_they_were_started(pit):
    for run in ("z", "a", "m"):
        await pit.port.start_run(run, DIAMOND, INPUTS)

    assert [run.id for run in await pit.port.runs()] == ["z", "a", "m"]


async def test_a_restart_keeps_every_finished_step_and_runs_the_running_one_again(pit):
    await pit.port.start_run("r", DIAMOND, INPUTS)
    await finish(pit.port, "a")
    await pit.port.begin_step("r", "c")
    before = await pit.port.run("r")

    await pit.restart(pit)

    after = await pit.port.run("r")
    assert (after.workflow, after.inputs, after.started_at) == (before.workflow, before.inputs, before.started_at)
    assert step_of(after, "a") == step_of(before, "a")
    assert (step_of(after, "c").state, step_of(after, "c").attempts) == ("ready", 1)
    await finish(pit.port, "b", "c", "d")
    assert (await pit.port.run("r")).state == "done"


async def test_a_restart_keeps_every_artifact(pit):
    record = await pit.port.put_artifact(b"hello", "text/plain", LINEAGE)

    await pit.restart(pit)

    assert await pit.port.artifacts() == (record,)
    assert await pit.port.artifact_content(record.id) == b"hello"


@pytest.mark.parametrize("content", [b"", b"hello", bytes(range(256)) * 1000])
async def test_a_stored_content_is_given_back(pit, content):
    record = await pit.port.put_artifact(content, "text/plain", LINEAGE)

    assert (record.id, record.media_type, record.size) == (address_of(content), "text/plain", len(content))
    assert (record.lineages, record.uses, record.pinned) == ((LINEAGE,), 0, False)
    assert await pit.port.artifact_content(record.id) == content


async def test_the_same_content_is_stored_once_with_both_lineages(pit):
    other = Lineage("q", "b", (address_of(b"source"),))
    await pit.port.put_artifact(b"hello", "text/plain", LINEAGE)

    record = await pit.port.put_artifact(b"hello", "text/plain", other)

    assert record.lineages == (LINEAGE, other)
    assert await pit.port.artifacts() == (record,)


async def test_the_same_put_again_is_the_same_as_once(pit):
    """A step that is run again after a crash puts what it put before."""
    record = await pit.port.put_artifact(b"hello", "text/plain", LINEAGE)

    assert await pit.port.put_artifact(b"hello", "text/plain", LINEAGE) == record


async def test_a_media_type_that_is_none_is_refused_and_nothing_is_stored(pit):
    with pytest.raises(InvalidRequestError):
        await pit.port.put_artifact(b"hello", "plain text", LINEAGE)
    assert await pit.port.artifacts() == ()


async def test_reading_an_artifact_is_a_use(pit):
    record = await pit.port.put_artifact(b"hello", "text/plain", LINEAGE)
    await pit.port.artifact_content(record.id)

    assert (await pit.port.artifacts())[0].uses == 1


@pytest.mark.parametrize("address", [address_of(b"never"), "sha256:x", "", "../../etc/passwd"])
async def test_an_unknown_artifact_is_not_found(pit, address):
    with pytest.raises(NotFoundError):
        await pit.port.artifact_content(address)


async def test_a_damaged_content_is_never_given_and_is_mended_by_the_next_put(pit):
    record = await pit.port.put_artifact(b"hello", "text/plain", LINEAGE)
    pit.damage(record.id)

    with pytest.raises(NotFoundError, match="damaged"):
        await pit.port.artifact_content(record.id)
    await pit.port.put_artifact(b"hello", "text/plain", LINEAGE)
    assert await pit.port.artifact_content(record.id) == b"hello"


async def test_the_higher_priority_wins_with_its_reason(pit):
    claims = [Claim("a", "ann", "gpu", 1, 0.0), Claim("b", "bob", "gpu", 5, 1.0)]

    ruling = await pit.port.arbitrate(claims)

    assert (ruling.resource, ruling.winner, ruling.waiting, ruling.rule) == ("gpu", "b", ("a",), "priority")
    assert "priority 5" in ruling.rationale
    assert await pit.port.arbitrate(list(reversed(claims))) == ruling


@pytest.mark.parametrize(
    "claims",
    [
        [],
        [Claim("a", "ann", "gpu", 1, 0.0), Claim("b", "bob", "cpu", 1, 0.0)],
        [Claim("a", "ann", "gpu", 1, 0.0), Claim("a", "bob", "gpu", 2, 0.0)],
    ],
    ids=["none", "two resources", "one id"],
)
async def test_claims_that_cannot_be_decided_are_refused(pit, claims):
    with pytest.raises(InvalidRequestError):
        await pit.port.arbitrate(claims)


async def test_a_retention_plan_says_what_goes_and_does_nothing(pit):
    record = await pit.port.put_artifact(b"hello", "text/plain", LINEAGE)

    nothing_kept = await pit.port.plan_retention(0.0)
    all_kept = await pit.port.plan_retention(1e9)

    assert [(line.artifact, line.keep) for line in nothing_kept.lines] == [(record.id, False)]
    assert (nothing_kept.freed, all_kept.freed, all_kept.lines[0].keep) == (5, 0, True)
    assert await pit.port.artifact_content(record.id) == b"hello"


async def test_what_a_live_run_refers_to_is_kept(pit):
    record = await pit.port.put_artifact(b"hello", "text/plain", LINEAGE)
    await pit.port.start_run("r", workflow({"a": []}), {})
    await pit.port.begin_step("r", "a")
    await pit.port.fail_step("r", "a", "again", retry=True)
    await pit.port.start_run("q", workflow({"a": []}, (Input("source", "artifact"),)), {"source": record.id})

    assert (await pit.port.plan_retention(0.0)).lines[0].keep


async def test_a_negative_age_is_refused(pit):
    with pytest.raises(InvalidRequestError):
        await pit.port.plan_retention(-1.0)


async def test_what_happens_in_one_manager_is_told_in_order(pit):
    events = pit.port.events()
    await pit.port.start_run("r", workflow({"a": []}), {})
    await pit.port.begin_step("r", "a")
    await pit.port.complete_step("r", "a", {})

    heard = await take(events, 4)

    assert heard == [
        PitEvent("dag-tracker", "run.started", "r"),
        PitEvent("dag-tracker", "step.begun", "r/a"),
        PitEvent("dag-tracker", "step.completed", "r/a"),
        PitEvent("dag-tracker", "run.completed", "r"),
    ]


async def test_every_manager_tells(pit):
    events = pit.port.events()
    await pit.port.register_model(SPEC)
    await pit.port.start_run("r", workflow({"a": []}), {})
    record = await pit.port.put_artifact(b"hello", "text/plain", LINEAGE)
    await pit.port.arbitrate([Claim("c", "ann", "gpu", 1, 0.0)])
    await pit.port.plan_retention(5.0)

    heard = {await anext(events) for _ in range(5)}

    assert heard == {
        PitEvent("pool-manager", "model.registered", "m"),
        PitEvent("dag-tracker", "run.started", "r"),
        PitEvent("artifact-store", "artifact.stored", record.id),
        PitEvent("arbitration-engine", "claim.granted", "c"),
        PitEvent("stale-manager", "retention.planned", "1 artifacts"),
    }


async def test_a_closed_iterator_ends_and_leaves_the_others_alone(pit):
    closed, other = pit.port.events(), pit.port.events()
    await closed.aclose()
    await pit.port.register_model(SPEC)

    assert await anext(closed, None) is None
    assert (await anext(other)).kind == "model.registered"


async def test_a_reader_that_falls_behind_is_told_and_harms_nobody(pit):
    slow = pit.port.events()
    for n in range(1_100):
        await pit.port.arbitrate([Claim(f"c{n}", "ann", "gpu", 1, 0.0)])
    with pytest.raises(UnavailableError):
        await take(slow, 1_001)
    assert await anext(slow, None) is None
    assert (await pit.port.register_model(SPEC)).state == "cold"
