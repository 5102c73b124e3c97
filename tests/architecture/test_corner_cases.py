"""The index of corner cases in tests/faults/__init__.py is complete, and every test that it names is there."""

import ast
import re

import pytest

from tests.architecture.checkout import ROOT, syntax_tree

CASES = 48
INDEX = ROOT / "tests" / "faults" / "__init__.py"
CASE = re.compile(r"^ *(\d+)  \S")
TEST = re.compile(r"^ {5}(\S+\.py)::(test_\w+)$")


def index(text: str) -> dict[int, list[tuple[str, str]]]:
    """Give the tests, as file and name, of each case that a docstring lists."""
    found: dict[int, list[tuple[str, str]]] = {}
    tests: list[tuple[str, str]] = []
    for line in text.splitlines():
        if case := CASE.match(line):
            tests = found.setdefault(int(case[1]), [])
        elif test := TEST.match(line):
            tests.append((test[1], test[2]))
    return found


def listed() -> dict[int, list[tuple[str, str]]]:
    return index(ast.get_docstring(syntax_tree(INDEX), clean=False) or "")


def test_every_corner_case_is_shown_by_a_test():
    cases = listed()

    assert sorted(cases) == list(range(1, CASES + 1))
    assert [number for number, tests in cases.items() if not tests] == []


@pytest.mark.parametrize(("file", "name"), sorted({test for tests in listed().values() for test in tests}))
def test_a_test_that_the_index_names_is_there(file, name):
    functions = {node.name for node in syntax_tree(ROOT / "tests" / file).body if isinstance(node, ast.FunctionDef)}

    assert name in functions


def test_the_rule_sees_cases_and_their_tests():
    text = "\n  7  it ends\n     faults/test_a.py::test_b\n     and more of it\n 12  it goes on\n"

    assert index(text) == {7: [("faults/test_a.py", "test_b")], 12: []}
