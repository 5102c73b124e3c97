"""Maintenance: the paths that somebody works at, with a debugger say, where hangs are reported and not acted upon."""

from ..address import ActorPath, is_within


class Maintenance:
    """Which paths are under maintenance. Any thread may call. `paths` is another object after each change."""

    def __init__(self) -> None:
        self.paths: frozenset[ActorPath] = frozenset()

    def set(self, path: ActorPath, *, on: bool) -> None:
        """Put `path` and all below it under maintenance, or end that for a path that was put so."""
        self.paths = self.paths | {path} if on else self.paths - {path}

    def covers(self, path: str) -> bool:
        """Tell whether `path` is under maintenance."""
        return any(is_within(path, maintained) for maintained in self.paths)
