"""Import paths: from `package.module:Name` to the thing, with errors that name what is wrong."""

import importlib
from typing import Any

from .actor import Actor
from .errors import SpecError


def load(path: str) -> Any:
    """Import what `path` names. Raises `SpecError`; an error inside the module itself is its cause."""
    module_name, _, attribute_path = path.partition(":")
    try:
        found: Any = importlib.import_module(module_name)
    except (Exception, SystemExit) as error:  # whatever a module raises at import, the spec that names it cannot be used
        raise SpecError(f"{path}: cannot import {module_name}: {type(error).__name__}: {error}") from error
    for name in attribute_path.split("."):
        try:
            found = getattr(found, name)
        except AttributeError as error:
            raise SpecError(f"{path}: {module_name} has no {attribute_path}") from error
    return found


def load_actor(path: str) -> type[Actor]:
    """Import the actor class that `path` names. Raises `SpecError`."""
    found = load(path)
    if not (isinstance(found, type) and issubclass(found, Actor)):
        raise SpecError(f"{path}: not a subclass of actors.runtime.Actor")
    return found
