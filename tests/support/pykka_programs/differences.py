"""How a test shows a difference: it runs on both runtimes and says what is expected on each."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.pykka_programs.runtimes import BOUND_S, HERE, PYKKA, Runtime

IMPATIENT_S = 0.1
"""For what never comes on Pykka."""


def both(*, on_pykka: Any, here: Any) -> pytest.MarkDecorator:
    """Run the test on both, each with what is expected there."""
    runs = [pytest.param(PYKKA, on_pykka, id="pykka"), pytest.param(HERE, here, id="here")]
    return pytest.mark.parametrize(("runtime", "expected"), runs)


def outcome(function: Callable[[], Any]) -> Any:
    """Give what it returns, or the name of what it raises."""
    try:
        return function()
    except Exception as error:  # whatever it is, the test is about which
        return type(error).__name__


def patience(runtime: Runtime) -> float:
    """Give how long to wait for what comes here and never on Pykka."""
    return IMPATIENT_S if runtime is PYKKA else BOUND_S


def wait_until_told_to_stop(ref: Any) -> None:
    """Wait until an actor that is busy has a signal before it."""
    pause = threading.Event()
    for _ in range(5000):
        if ref._find().signals:
            return
        pause.wait(0.001)
    pytest.fail(f"{ref} was not told to stop")
