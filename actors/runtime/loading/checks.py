"""Checks of a loader: the spec that a name stands for, and whether every actor in a spec can be imported as what it should be.

They import the user's code, so they run in the loader's process only.
"""

import importlib
import os
import sys
from collections.abc import Iterator
from difflib import get_close_matches
from importlib.machinery import PathFinder
from importlib.util import find_spec
from typing import Any

from ..address import ROOT, ActorPath, child_path
from ..errors import SpecError
from ..imports import load, load_actor
from ..supervision.kernel_tree import check_kernel_tree
from ..supervision.spec import AnySpec, ChildSpec, SupervisorSpec


def spec_of(target: str, search_path: tuple[str, ...]) -> SupervisorSpec:
    """Give the spec that `module:attr` names, or that the function of that name gives. Raises `SpecError`."""
    module_name, colon, attribute = target.partition(":")
    parts = (*module_name.split("."), *attribute.split("."))
    if not colon or not all(part.isidentifier() for part in parts):
        raise SpecError(f"{target}: write it as module:attr, like shop.tree:tree, or name a file that ends in .toml")
    if module_name == "__main__":
        raise SpecError(f"{target}: `__main__` cannot be imported by other processes: put the tree into a module")
    _refuse_another(module_name, search_path, target)
    found = _attribute(_imported(module_name, target, search_path), attribute, target)
    if callable(found) and not isinstance(found, type):
        found = _called(found, target)
    if not isinstance(found, SupervisorSpec):
        what = "class" if isinstance(found, type) else type(found).__name__
        hint = ", which can be the child of one" if isinstance(found, ChildSpec) else ""
        raise SpecError(f"{target}: is a {what}{hint}: a SupervisorSpec, or a function that gives one, is wanted")
    return found


def check_tree(tree: AnySpec, search_path: tuple[str, ...]) -> AnySpec:
    """Give `tree` if a kernel can run it. Raises `SpecError` with every problem, each naming the path it is about."""
    problems: list[str] = []
    try:
        check_kernel_tree(tree)
    except SpecError as error:
        problems += error.problems
    if isinstance(tree, SupervisorSpec):
        problems += _unusable(tree, ROOT, search_path)
    if problems:
        raise SpecError(*problems)
    return tree


def _unusable(supervisor: SupervisorSpec, path: ActorPath, search_path: tuple[str, ...]) -> Iterator[str]:
    for child in supervisor.children:
        place = child_path(path, child.id)
        if child.setup is not None:
            yield from _problem(f"{place}: setup", child.setup, search_path, is_actor=False)
        if isinstance(child, SupervisorSpec):
            yield from _unusable(child, place, search_path)
        else:
            yield from _problem(f"{place}: actor", child.actor, search_path, is_actor=True)


def _problem(where: str, path: str, search_path: tuple[str, ...], *, is_actor: bool) -> Iterator[str]:
    module_name, _, attribute = path.partition(":")
    if module_name == "__main__":
        yield f"{where}: {path}: `__main__` cannot be imported by other processes: put the class into a module"
        return
    if "<locals>" in attribute:
        yield f"{where}: {path}: what is defined inside of a function cannot be imported: move it to the module's top level"
        return
    try:
        _refuse_another(module_name, search_path, path)
        if is_actor:
            load_actor(path)
        else:
            load(path)
    except SpecError as error:
        hint = _hint(module_name, attribute) if " has no " in str(error) else ""
        yield f"{where}: {error}{hint}"


def _imported(module_name: str, target: str, search_path: tuple[str, ...]) -> Any:
    try:
        return importlib.import_module(module_name)
    except (Exception, SystemExit) as error:  # whatever a module raises at import, the tree that it names cannot be used
        hint = ""
        if isinstance(error, ModuleNotFoundError) and error.name and module_name.split(".", maxsplit=1)[0] == error.name:
            hint = f"; looked in {', '.join(search_path)} and what is installed beside Symphony (--app-dir DIR looks elsewhere)"
        raise SpecError(f"{target}: cannot import {module_name}: {type(error).__name__}: {error}{hint}") from error


def _attribute(module: Any, attribute: str, target: str) -> Any:
    found = module
    for name in attribute.split("."):
        try:
            found = getattr(found, name)
        except AttributeError:
            raise SpecError(f"{target}: {module.__name__} has no {attribute}{_hint(module.__name__, attribute)}") from None
    return found


def _called(function: Any, target: str) -> object:
    try:
        given: object = function()
    except SpecError as error:
        raise SpecError(*(f"{target}: {problem}" for problem in error.problems)) from error
    except (Exception, SystemExit) as error:  # it is the user's function, and may raise anything
        raise SpecError(f"{target}: calling it without arguments failed: {type(error).__name__}: {error}") from error
    return given


def _hint(module_name: str, attribute: str) -> str:
    module = sys.modules.get(module_name)
    near = get_close_matches(attribute, vars(module), n=1) if module is not None else []
    return f"; did you mean {near[0]!r}?" if near else ""


def _refuse_another(module_name: str, search_path: tuple[str, ...], whose: str) -> None:
    """Raise where the user's folder has the module but another of that name comes first, which would be used in silence.

    The folders are searched last, so that nothing in them can take the place of a module that the runtime itself needs.
    """
    top = module_name.partition(".")[0]
    own = PathFinder.find_spec(top, list(search_path))
    try:
        found = find_spec(top)
    except (ImportError, ValueError):  # a module without a spec, such as a built-in that was replaced
        found = None
    if own is None or own.origin is None or found is None:
        return
    if os.path.realpath(found.origin or "") != os.path.realpath(own.origin):
        raise SpecError(f"{whose}: {own.origin} is not what `import {top}` finds, which is {found.origin}: rename the module")
