"""Targets: what `up` and `reload` are told to run, as a plan for a kernel: Symphony itself, or a tree of the user's own."""

import os
from pathlib import Path

from msgspec import Struct, structs

from actors.runtime.kernel.plan import KernelPlan
from actors.runtime.loading.loader import check_spec, load_target
from actors.runtime.supervision.spec import SupervisorSpec, encode_spec
from symphony.domain.errors import InvalidRequestError, NotFoundError

from ..file_paths import absolute, read_text_file
from ..places import Places
from ..settings_file import load_settings
from .tree_file import read_tree

SUFFIX = ".toml"
PACKAGES = ("actors",)
"""What the processes of a user's own tree must have from the same files; the rest of Symphony is not imported there."""


class Target(Struct, frozen=True):
    """What to run. Paths are absolute; an empty `name` is Symphony itself, which `config` is for; `app_dir` is for others."""

    name: str = ""
    app_dir: str = ""
    config: str = ""

    @property
    def is_own(self) -> bool:
        """Tell whether it is a tree of the user's own."""
        return bool(self.name)


def target_of(name: str | None, app_dir: str | None, config: str | None) -> Target:
    """Give the target that was named on the command line. Raises `InvalidRequestError` and `NotFoundError`."""
    if name == "":
        raise InvalidRequestError("TARGET is empty: name module:attr or a .toml file, or leave it out for Symphony's own tree")
    if name is None:
        if app_dir:
            raise InvalidRequestError("--app-dir is for a tree of your own: name it as well, as module:attr or a .toml file")
        return Target(config=absolute(config) if config else "")
    if config:
        raise InvalidRequestError("--config is for Symphony's own tree, not for one of your own: leave it out")
    is_file = _is_file(name)
    folder = absolute(app_dir or (os.path.dirname(absolute(name)) if is_file else "."))  # noqa: PTH120  # links are kept
    if not Path(folder).is_dir():
        raise NotFoundError(f"--app-dir {app_dir}: no such folder")
    return Target(absolute(name) if is_file else name, folder)


def plan_for(target: Target, places: Places, *, timeout_s: float) -> KernelPlan:
    """Give the plan of `target`. A tree of the user's own is imported by a process of its own, within `timeout_s` seconds.

    Raises what is wrong with it, all of it: `InvalidRequestError`, `SpecError`; `StartError` where it never ends to be imported.
    """
    origin = origin_of(target, places)
    if not target.is_own:
        from symphony.bootstrap import kernel_plan

        return structs.replace(kernel_plan(load_settings(places, target.config or None)), origin=origin)
    tree = _own_tree(target, timeout_s)
    return KernelPlan(tree.id, str(places.run_dir), encode_spec(tree), PACKAGES, search_path=(target.app_dir,), origin=origin)


def origin_of(target: Target, places: Places) -> dict[str, str]:
    """Give what has to be remembered so that the same is found again, from wherever that is asked."""
    found = {"name": target.name, "app_dir": target.app_dir, "config": target.config}
    return {**found, "state_dir": str(places.state_dir), "workspace": str(places.workspace or "")}


def from_origin(origin: dict[str, str], run_dir: Path) -> tuple[Target, Places]:
    """Give what a running tree was started from."""
    workspace = origin.get("workspace")
    places = Places(run_dir, Path(origin.get("state_dir", run_dir / "state")), Path(workspace) if workspace else None)
    return Target(origin.get("name", ""), origin.get("app_dir", ""), origin.get("config", "")), places


def _own_tree(target: Target, timeout_s: float) -> SupervisorSpec:
    if not _is_file(target.name):
        return load_target(target.name, (target.app_dir,), timeout_s=timeout_s)
    tree = read_tree(read_text_file(target.name), source=target.name)
    return check_spec(tree, (target.app_dir,), whose=target.name, timeout_s=timeout_s)


def _is_file(name: str) -> bool:
    return name.endswith(SUFFIX) or "/" in name
