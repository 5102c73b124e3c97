"""A handler that catches everything says why, on its own line."""

import ast
import re

import pytest

from tests.architecture.checkout import name, python_files, syntax_tree

BROAD = {"Exception", "BaseException"}
NOT_A_REASON = re.compile(r"(?:noqa|type): ?[\w\[\]-]+(?:, ?[A-Z]+\d+)*")


def unexplained(tree: ast.Module, source: str) -> list[int]:
    """Return the lines that catch or suppress every exception without a comment of at least two words."""
    lines = source.splitlines()
    return [node.lineno for node in ast.walk(tree) if _is_broad(node) and not _has_reason(lines[node.lineno - 1])]


def _is_broad(node: ast.AST) -> bool:
    if isinstance(node, ast.ExceptHandler):
        caught = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
        return any(kind is None or ast.unparse(kind) in BROAD for kind in caught)
    return (
        isinstance(node, ast.Call)
        and ast.unparse(node.func) in {"suppress", "contextlib.suppress"}
        and any(ast.unparse(kind) in BROAD for kind in node.args)
    )


def _has_reason(line: str) -> bool:
    _, _, comment = line.partition("  # ")
    return len(re.findall(r"[^\W\d_]{2,}", NOT_A_REASON.sub("", comment))) >= 2


def test_every_broad_except_has_its_reason_beside_it():
    found = [f"{name(path)}:{line}" for path in python_files() for line in unexplained(syntax_tree(path), path.read_text())]

    assert found == []


@pytest.mark.parametrize(
    "handler",
    [
        "except:",
        "except Exception:",
        "except BaseException as error:",
        "except (OSError, Exception):",
        "except Exception:  # noqa: BLE001",
        "except Exception:  # noqa: BLE001, S110",
    ],
)
def test_the_rule_sees(handler):
    source = f"try:\n    f()\n{handler}\n    pass\n"

    assert unexplained(ast.parse(source), source) == [3]


@pytest.mark.parametrize("handler", ["except Exception:  # noqa: BLE001 - an actor's code may raise anything", "except OSError:"])
def test_a_reason_or_a_narrow_class_is_enough(handler):
    source = f"try:\n    f()\n{handler}\n    pass\n"

    assert unexplained(ast.parse(source), source) == []
