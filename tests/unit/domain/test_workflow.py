"""Runs cross processes and live on disk, so they must come back as they were."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from symphony.domain.workflow import Input, Run, Step, StepStatus, Workflow
from tests.support.plain_data import PLAIN

TABLES = st.dictionaries(st.text(max_size=8), PLAIN, max_size=3)


@given(arguments=TABLES, inputs=TABLES, outputs=TABLES)
def test_a_run_survives_msgpack_with_its_types(arguments, inputs, outputs):
    step = Step("a", "text.open", arguments, ("b",), "x", "y", 1, 2.5)
    flow = Workflow("flow", "summary", (Input("file", "path"),), (step,), {"x": "/x"})
    run = Run("r", flow, inputs, "running", (StepStatus("a", "done", 2, outputs, "why"),), 1.5)

    back = msgspec.msgpack.decode(msgspec.msgpack.encode(run), type=Run)

    assert back == run
    assert repr(back) == repr(run)  # equality alone would take 1 for True


def test_a_run_whose_steps_are_no_steps_is_refused():
    data = msgspec.msgpack.encode({"id": "r", "steps": [1]})

    try:
        msgspec.msgpack.decode(data, type=Run)
    except msgspec.ValidationError:
        return
    raise AssertionError("it was accepted")
