"""What a loader is asked and answers: one message each, msgpack, over pipes."""

from msgspec import Struct


class Load(Struct, frozen=True):
    """Give the spec that `target` (`module:attr`) names, or, where it is empty, check `spec` (by `encode_spec`).

    `search_path` are the folders where the user's modules are found.
    """

    target: str
    spec: bytes
    search_path: tuple[str, ...]


class Loaded(Struct, frozen=True, tag="loaded"):
    """The spec, by `encode_spec`; every actor that it names can be imported."""

    spec: bytes


class Refused(Struct, frozen=True, tag="refused"):
    """What is wrong with it, all of it."""

    problems: tuple[str, ...]


Answer = Loaded | Refused
