"""The JSON Schema of a tree's file, made from the specs themselves, for editors that check TOML while it is written."""

from typing import Any

import msgspec
from msgspec.structs import fields

from actors.runtime.supervision.spec import ChildSpec, SupervisorSpec

from .tree_file import CHILDREN, ROOT_KEYS

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def tree_schema() -> dict[str, Any]:
    """Give the schema."""
    _, definitions = msgspec.json.schema_components([ChildSpec, SupervisorSpec], ref_template="#/$defs/{name}")
    worker = _table(definitions.pop("ChildSpec"), _names(ChildSpec), required=("id", "actor"))
    of_supervisor = definitions.pop("SupervisorSpec")
    supervisor = _table(of_supervisor, _names(SupervisorSpec) - {"children"}, required=("id",))
    children = {"type": "array", "items": {"anyOf": [{"$ref": "#/$defs/worker"}, {"$ref": "#/$defs/supervisor"}]}}
    supervisor["properties"][CHILDREN] = children
    supervisor["anyOf"] = [{"required": [CHILDREN]}, {"required": ["strategy"]}]
    return {
        "$schema": DIALECT,
        "title": "A supervision tree",
        "type": "object",
        "properties": {"tree": _table(of_supervisor, ROOT_KEYS, required=("id",)), CHILDREN: children},
        "required": ["tree"],
        "additionalProperties": False,
        "$defs": {**definitions, "worker": worker, "supervisor": supervisor},
    }


def _table(schema: dict[str, Any], keys: frozenset[str], *, required: tuple[str, ...]) -> dict[str, Any]:
    properties = {name: value for name, value in schema["properties"].items() if name in keys}
    return {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}


def _names(kind: type[Any]) -> frozenset[str]:
    return frozenset(field.name for field in fields(kind))
