"""Tests wait for a condition, with a bound; never for time to pass.

A sleep is too long on the machine where it works and too short on the one where it does not.
"""

import ast
import re

import pytest

from tests.architecture.checkout import name, python_files, syntax_tree

# As text, so that the scripts that a test hands to a child process are seen too; there `signal.pause()` hangs as well.
SLEEP_AS_TEXT = re.compile(r"\btime\.sleep\(|\bfrom time import [^\n]*\bsleep\b")


def sleeps(tree: ast.Module) -> list[int]:
    """Return the lines of `asyncio.sleep(x)` unless x is 0: one turn of the loop is no wait."""
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) in {"asyncio.sleep", "sleep"}
        and not (node.args and isinstance(node.args[0], ast.Constant) and node.args[0].value == 0)
    ]


def test_no_test_sleeps():
    found = [f"{name(path)}:{line}" for path in python_files("tests") for line in sleeps(syntax_tree(path))]
    found += [name(path) for path in python_files("tests") if SLEEP_AS_TEXT.search(path.read_text())]

    assert found == []


@pytest.mark.parametrize("code", ["await asyncio.sleep(0.1)", "await asyncio.sleep(pause)", "sleep(1)"])
def test_the_rule_sees(code):
    assert sleeps(ast.parse(code)) == [1]


def test_one_turn_of_the_loop_is_allowed():
    assert sleeps(ast.parse("await asyncio.sleep(0)")) == []
