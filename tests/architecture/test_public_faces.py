"""Four packages have a public face: a literal `__all__`, so that what is public can be read, and is there."""

import ast
from importlib import import_module

import pytest

from tests.architecture.checkout import PACKAGES, ROOT, syntax_tree

FACES = [
    face
    for face in ("symphony.ports", "symphony.sdk", "actors.runtime", "xi.protocol")
    if (ROOT / face.replace(".", "/") / "__init__.py").exists()
]


def declared(face: str) -> list[str]:
    """Read `__all__` from the source; fails unless it is assigned once, as a literal."""
    tree = syntax_tree(ROOT / face.replace(".", "/") / "__init__.py")
    values = [
        node.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        and any(isinstance(target, ast.Name) and target.id == "__all__" for target in node.targets)
    ]
    assert len(values) == 1, f"{face} assigns __all__ {len(values)} times"
    return list(ast.literal_eval(values[0]))


def test_there_is_a_face_to_check():
    assert FACES


@pytest.mark.parametrize("face", FACES)
def test_every_name_that_a_face_declares_is_there_and_said_once(face):
    names = declared(face)

    assert names
    assert sorted(set(names)) == sorted(names)
    assert [name for name in names if not hasattr(import_module(face), name)] == []


@pytest.mark.parametrize("face", FACES)
def test_a_face_shows_nothing_that_it_does_not_declare(face):
    """What of ours a face imports without declaring it is public by accident."""
    tree = syntax_tree(ROOT / face.replace(".", "/") / "__init__.py")
    imported = {
        alias.asname or alias.name
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and (node.level or (node.module or "").partition(".")[0] in PACKAGES)
        for alias in node.names
    }

    assert sorted(imported - set(declared(face))) == []
