"""What an extension says of itself, checked, and what its folder holds, as one number.

`symphony.domain.manifest` reads manifests; a Manifest that asks for what Symphony does not do yet cannot be built.
"""

from collections.abc import Mapping
from hashlib import sha256
from pathlib import PurePosixPath
from typing import Literal

from msgspec import Struct

from symphony.domain.ids import ExtensionId


class DataPort(Struct, frozen=True):
    """Data that an extension takes or gives; `type` is a media type."""

    name: str
    type: str
    required: bool = True


class Manifest(Struct, frozen=True):
    """A checked manifest. `entry` is module:Class.

    `runtime` and `python` are the versions that it works with, such as `>=0.1,<1.0`; empty is any. `deadline_s` bounds each of
    its calls and `startup_s` its start; None leaves that to the host.
    """

    id: ExtensionId
    name: str
    version: str
    kind: Literal["operator"]
    summary: str
    entry: str
    license: str = ""
    repository: str = ""
    runtime: str = ""
    python: str = ""
    inputs: tuple[DataPort, ...] = ()
    outputs: tuple[DataPort, ...] = ()
    deadline_s: float | None = None
    startup_s: float | None = None


def digest_of(files: Mapping[str, bytes]) -> str:
    """Give the digest of an extension's files, by their paths relative to its folder, with `/` between parts.

    It is `sha256:` and 64 hexadecimal digits, and does not depend on the order. Bytecode caches do not count: Python makes them
    when the author runs a test, and no worker reads them.
    """
    whole = sha256()
    for path in sorted(files):
        if "__pycache__" in PurePosixPath(path).parts:
            continue
        name = path.encode("utf-8", "surrogateescape")
        # Each part has a known length, so that no two folders give the same bytes.
        whole.update(len(name).to_bytes(8, "big") + name + sha256(files[path]).digest())
    return f"sha256:{whole.hexdigest()}"


def unmet_requirements(manifest: Manifest, *, runtime: str, python: str) -> tuple[str, ...]:
    """Say which versions do not fit what `manifest` requires; none is good. Versions are digits and points, such as `0.1.0`."""
    asked = (("runtime", "Symphony", manifest.runtime, runtime), ("python", "Python", manifest.python, python))
    return tuple(
        f"{manifest.id}: requires.{key}: it needs {name} {wanted}, and this is {present}"
        for key, name, wanted, present in asked
        if not all(_fits(part.strip(), present) for part in wanted.split(",") if part.strip())
    )


def _fits(specifier: str, present: str) -> bool:
    sign = specifier.rstrip("0123456789.")
    wanted, have = _padded(specifier[len(sign) :]), _padded(present)
    match sign.strip():
        case ">=":
            return have >= wanted
        case ">":
            return have > wanted
        case "<=":
            return have <= wanted
        case "<":
            return have < wanted
        case "!=":
            return have != wanted
        case _:
            return have == wanted


def _padded(version: str) -> tuple[int, ...]:
    """Give `version` as four numbers, so that 1.0 equals 1.0.0; what follows the numbers (a pre-release) is left out."""
    numbers = [int(part) for part in version.partition("-")[0].partition("+")[0].split(".") if part.isdecimal()]
    return tuple((numbers + [0] * 4)[:4])
