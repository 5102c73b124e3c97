"""Nothing that a killed process could hold for ever: no lock, queue or shared object of multiprocessing.

A `multiprocessing.Lock` or `Queue` whose holder is killed is held for ever, and whoever waits for it waits as long.
"""

import ast

import pytest

from tests.architecture.checkout import PACKAGES, name, python_files, syntax_tree

FORBIDDEN = frozenset(
    {
        "Queue",
        "SimpleQueue",
        "JoinableQueue",
        "Lock",
        "RLock",
        "Event",
        "Condition",
        "Semaphore",
        "BoundedSemaphore",
        "Barrier",
        "Manager",
        "Pool",
        "Value",
        "Array",
        "RawValue",
        "RawArray",
        "shared_memory",
        "SharedMemory",
        "ShareableList",
        "managers",
        "pool",
        "queues",
        "synchronize",
        "sharedctypes",
        "heap",
    }
)


def shared_objects(tree: ast.Module) -> list[int]:
    """Return the lines that import or use one of them, under whatever name multiprocessing goes there."""
    modules = {"multiprocessing"}
    found = []
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                for alias in names:
                    parts = alias.name.split(".")
                    if parts[0] == "multiprocessing":
                        modules.add(alias.asname or parts[0])
                        found += [node.lineno] * bool(FORBIDDEN & set(parts[1:]))
            case ast.ImportFrom(module=str(module), names=names) if module.split(".")[0] == "multiprocessing":
                mentioned = {*module.split(".")[1:], *(alias.name for alias in names)}
                found += [node.lineno] * bool(FORBIDDEN & mentioned)
                modules |= {alias.asname or alias.name for alias in names}
    found += [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in FORBIDDEN and _origin(node.value) in modules
    ]
    return sorted(set(found))


def _origin(node: ast.expr) -> str | None:
    """Return the name that an expression such as `a.b.c()` begins with."""
    while isinstance(node, ast.Attribute | ast.Call):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else None


def test_no_process_shares_a_lock_or_a_queue_with_another():
    found = [f"{name(path)}:{line}" for path in python_files(*PACKAGES) for line in shared_objects(syntax_tree(path))]

    assert found == []


@pytest.mark.parametrize(
    "code",
    [
        "from multiprocessing import Queue",
        "from multiprocessing import Process, Lock as Guard",
        "from multiprocessing.managers import BaseManager",
        "from multiprocessing import shared_memory",
        "import multiprocessing.shared_memory",
        "import multiprocessing.synchronize as s",
        "import multiprocessing\nlock = multiprocessing.Lock()",
        "import multiprocessing as mp\nlock = mp.RLock()",
        "import multiprocessing as mp\nqueue = mp.get_context('spawn').Queue()",
        "from multiprocessing import get_context\nevent = get_context().Event()",
        "def f():\n    import multiprocessing\n    return multiprocessing.Pool(2)",
    ],
)
def test_the_rule_sees(code):
    assert shared_objects(ast.parse(code)) != []


@pytest.mark.parametrize(
    "code",
    [
        "import threading\nlock = threading.Lock()",
        "import queue\nq = queue.SimpleQueue()",
        "from multiprocessing import process, reduction, spawn, util",
        "import multiprocessing\nmultiprocessing.get_all_start_methods()",
        "import asyncio\nevent = asyncio.Event()",
    ],
)
def test_the_rule_lets_pass(code):
    assert shared_objects(ast.parse(code)) == []
