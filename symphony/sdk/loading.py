"""Finding the extension's class: its folder becomes importable, and only there may its code come from.

The folder is last on the path, so that a file called json.py does not stand in for the standard library's. Its bytecode caches
are not read: the files that Symphony hashed are the files that run.
"""

import sys
from collections.abc import Callable, Collection
from difflib import get_close_matches
from importlib import import_module
from importlib.machinery import EXTENSION_SUFFIXES, SOURCE_SUFFIXES, ExtensionFileLoader, FileFinder, SourceFileLoader
from pathlib import Path

from symphony.sdk.operator import Operator
from symphony.sdk.signature import Operation, operations_of


class EntryError(Exception):
    """The manifest's `run.python` names nothing that can be run; the author's move."""


class _UncachedSourceLoader(SourceFileLoader):
    def path_stats(self, path: str) -> dict[str, float]:
        """Refuse, as importlib provides for: it then compiles the source and looks at no cache."""
        raise OSError(f"the bytecode cache of {path} is not used")


def make_importable(directory: Path, *, instead_of: Collection[str]) -> None:
    """Put `directory` last on the path of this process, in place of the folders that the boot needed."""
    sys.path[:] = [*(entry for entry in sys.path if entry not in instead_of), str(directory)]
    sys.path_hooks.insert(0, _finder_within(directory))


def _finder_within(directory: Path) -> Callable[[str], FileFinder]:
    def hook(path: str) -> FileFinder:
        if not Path(path).is_relative_to(directory):
            raise ImportError(f"{path} is not in the extension's folder", path=path)
        return FileFinder(path, (ExtensionFileLoader, EXTENSION_SUFFIXES), (_UncachedSourceLoader, SOURCE_SUFFIXES))

    return hook


def load(directory: Path, entry: str) -> dict[str, Operation]:
    """Import `entry` (module:Class) from `directory`, make the one instance, and give its operations.

    Raises `EntryError`, and whatever the extension's code raises while it is imported and its class is built.
    """
    module_name, _, class_name = entry.partition(":")
    try:
        module = import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module_name}.".startswith(f"{error.name}."):
            raise  # an import inside the extension's own code: its traceback says which
        raise EntryError(f"{entry}: there is no module {error.name} in {directory}") from None
    origin = getattr(module, "__file__", None)
    if origin is None or not Path(origin).is_relative_to(directory):
        raise EntryError(f"{entry}: the name {module_name} is taken ({origin or 'built in'}); rename the extension's module")
    found = getattr(module, class_name, None)
    if found is None:
        close = get_close_matches(class_name, vars(module), n=1)
        raise EntryError(f"{entry}: {origin} has no {class_name}" + (f"; did you mean {close[0]}?" if close else ""))
    if not isinstance(found, type) or not issubclass(found, Operator):
        raise EntryError(f"{entry}: {class_name} is not a class derived from symphony.sdk.Operator")
    operations = operations_of(found())
    if not operations:
        raise EntryError(f"{entry}: {class_name} has no method marked with @operation")
    return operations
