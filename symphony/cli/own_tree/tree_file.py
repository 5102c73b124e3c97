"""A tree as a TOML file: the same specs as in Python, read with all problems at once, each with its line.

    [tree]                      # the root supervisor
    id = "shop"
    strategy = "one_for_one"

    [[child]]                   # in start order; with `actor`, a worker
    id = "till"
    actor = "shop.actors:Till"
    process = true

    [[child]]                   # without, a supervisor, whose children follow
    id = "pool"
    process = true
    [[child.child]]
    id = "clerk"
    actor = "shop.actors:Clerk"

Keys are the fields of `SupervisorSpec` and `ChildSpec`, so this module has no list of them, and neither has the schema.
"""

import tomllib
from collections.abc import Mapping
from typing import Any, Literal, TypeVar, get_args, get_origin

import msgspec
from msgspec.structs import fields

from actors.runtime.errors import SpecError
from actors.runtime.supervision.spec import AnySpec, Backoff, ChildSpec, RestartLimit, SupervisorSpec
from symphony.domain.errors import InvalidRequestError
from symphony.domain.melody_problems import Problems

MAX_DEPTH = 20
CHILDREN = "child"
"""What a file calls the field `children`: TOML's arrays of tables read best in singular."""
ROOT_KEYS = frozenset(("id", "strategy", "intensity", "period", "on_exhausted", "auto_shutdown"))
_TABLES = {"backoff": Backoff, "limit": RestartLimit}
Built = TypeVar("Built", ChildSpec, SupervisorSpec)


def read_tree(text: str, *, source: str) -> SupervisorSpec:
    """Read the tree in `text`, the content of the file `source`. Raises `InvalidRequestError` with every problem."""
    try:
        document = tomllib.loads(text)
    except RecursionError:
        raise InvalidRequestError(f"{source}: is nested too deeply") from None
    except ValueError as error:  # its TOMLDecodeError, and Python's own for an integer of thousands of digits
        raise InvalidRequestError(f"{source}: is not TOML: {error}") from error
    problems = Problems(source, text)
    tree = _root(document, problems)
    if problems.found or tree is None:
        raise InvalidRequestError(*problems.found)
    return tree


def _root(document: Mapping[str, Any], problems: Problems) -> SupervisorSpec | None:
    sections = ("tree", CHILDREN)
    for name in document:
        if name not in sections:
            problems.add(name, f"is not a part of a tree{problems.did_you_mean(name, sections)}")
    table = document.get("tree")
    if not isinstance(table, dict):
        problems.add("tree", "is missing: a table, as in [tree], with an id at least")
        table = {"id": "tree"}
    children = _children(document, CHILDREN, problems, 1)
    return _built(SupervisorSpec, table, "tree", ROOT_KEYS, problems, children)


def _children(table: Mapping[str, Any], place: str, problems: Problems, depth: int) -> tuple[AnySpec, ...] | None:
    """Read the children in `table`; None where one of them is wrong."""
    tables = table.get(CHILDREN, [])
    if not isinstance(tables, list) or not all(isinstance(child, dict) for child in tables):
        problems.add(place, f"must be tables, as in [[{place}]]")
        return None
    if depth > MAX_DEPTH:
        problems.add(place, f"is deeper than {MAX_DEPTH} levels")
        return None
    found = [_child(child, f"{place}[{number}]", problems, depth) for number, child in enumerate(tables)]
    return tuple(child for child in found if child is not None) if None not in found else None


def _child(table: Mapping[str, Any], place: str, problems: Problems, depth: int) -> AnySpec | None:
    if CHILDREN in table and "actor" in table:
        problems.add(place, f"has both `actor`, which makes it a worker, and [[{CHILDREN}]], which makes it a supervisor")
        return None
    if CHILDREN in table or "strategy" in table:
        keys = _names(SupervisorSpec) - {"children"}
        children = _children(table, f"{place}.{CHILDREN}", problems, depth + 1)
        return _built(SupervisorSpec, table, place, keys, problems, children)
    if "actor" not in table:
        for key in table.keys() - _names(ChildSpec):
            problems.add(f"{place}.{key}", f"is not a key here{problems.did_you_mean(key, _names(ChildSpec))}")
        problems.add(place, f"`actor` is missing (or [[{CHILDREN}]] tables below it, if it is a supervisor)")
        return None
    return _built(ChildSpec, table, place, _names(ChildSpec), problems, ())


def _built(
    kind: type[Built],
    table: Mapping[str, Any],
    place: str,
    keys: frozenset[str],
    problems: Problems,
    children: tuple[AnySpec, ...] | None,
) -> Built | None:
    """Build a spec from a table; None, and problems, where it cannot be."""
    before = len(problems.found)
    values = {}
    types = {field.name: field.type for field in fields(kind)}
    for key, value in table.items():
        if key == CHILDREN and kind is SupervisorSpec:
            continue
        if key not in keys:
            problems.add(f"{place}.{key}", f"is not a key here{problems.did_you_mean(key, keys)}")
        else:
            values[key] = _converted(value, types[key], f"{place}.{key}", problems)
    if "id" not in table:
        problems.add(place, "`id` is missing")
    if children is None or len(problems.found) > before:
        return None
    if kind is SupervisorSpec:
        values["children"] = children
    try:
        return kind(**values)
    except SpecError as error:
        for problem in error.problems:
            # "child 'x': field: value: rule", where the place says whose it is already.
            field, _, rule = problem.partition(": ")[2].partition(": ")
            if field.startswith("children["):
                field = (
                    field.replace("children", CHILDREN, 1)
                    if place == "tree"
                    else f"{place}.{field.replace('children', CHILDREN, 1)}"
                )
                problems.add(field, rule)
            else:
                problems.add(f"{place}.{field}", rule)
        return None


def _converted(value: object, type_: Any, place: str, problems: Problems) -> Any:
    name = place.rpartition(".")[2]
    if name in _TABLES and isinstance(value, dict):
        known = _names(_TABLES[name])
        for key in value.keys() - known:
            problems.add(f"{place}.{key}", f"is not a key here{problems.did_you_mean(key, known)}")
    try:
        return msgspec.convert(value, type=type_)
    except msgspec.ValidationError as error:
        rule = f"one of {', '.join(get_args(type_))}" if get_origin(type_) is Literal else str(error).lower()
        problems.add(place, f"{value!r}: {rule}")
        return None


def _names(kind: type[Any]) -> frozenset[str]:
    return frozenset(field.name for field in fields(kind))
