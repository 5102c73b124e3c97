"""Runs each claim on every adapter of its port: one line here adds an adapter to its suite.

A claim is an `async def` test that takes the port's harness, by the port's name. Setting up, the claim and tearing down share one
event loop, as a real adapter's tasks need, and are bounded together: a claim that hangs fails.
"""

import asyncio
import inspect
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.support import actor_harnesses, extension_harness, harnesses, xi_harness

HARNESSES: dict[str, dict[str, Callable[[Path], AbstractAsyncContextManager[Any]]]] = {
    "text_editing": {"in_memory": harnesses.in_memory_text_editing, "xi": xi_harness.xi_text_editing},
    "pit": {"in_memory": harnesses.in_memory_pit, "actors": actor_harnesses.actor_pit},
    "extension": {"in_memory": harnesses.in_memory_extensions, "actors": extension_harness.actor_extensions},
    "conductor": {"in_memory": harnesses.in_memory_conductor, "python": actor_harnesses.python_conductor},
}
BOUND_S = 60.0


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    for port, adapters in HARNESSES.items():
        if port in metafunc.fixturenames:
            metafunc.parametrize(port, [pytest.param(make, id=name) for name, make in adapters.items()], indirect=True)


@pytest.fixture
def text_editing(request, tmp_path):
    return request.param(tmp_path)


@pytest.fixture
def pit(request, tmp_path):
    return request.param(tmp_path)


@pytest.fixture
def extension(request, tmp_path):
    return request.param(tmp_path)


@pytest.fixture
def conductor(request, tmp_path):
    return request.param(tmp_path)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = inspect.signature(pyfuncitem.obj).parameters
    asyncio.run(_run(pyfuncitem.obj, {name: pyfuncitem.funcargs[name] for name in names}))
    return True


async def _run(claim: Callable[..., Any], arguments: dict[str, Any]) -> None:
    async with asyncio.timeout(BOUND_S), AsyncExitStack() as stack:
        for name in arguments.keys() & HARNESSES.keys():
            arguments[name] = await stack.enter_async_context(arguments[name])
        await claim(**arguments)
