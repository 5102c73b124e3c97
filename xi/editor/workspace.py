"""All open views and the settings that they share.

As in xi-core, every view has a buffer of its own, even on one file, and one counter numbers views and buffers alike: the first
view is view-id-1, its buffer 2, the next view view-id-3.
"""

from itertools import count

from xi.editor import files, whitespace
from xi.editor.buffer import Buffer
from xi.editor.commands import KillRing
from xi.editor.config import Config, Table, changed, checked, merged
from xi.editor.view import View
from xi.protocol.errors import MissingViewError
from xi.protocol.methods import Domain
from xi.rope.rope import Rope

LANGUAGE = "Plain Text"  # the only one, as long as there are no plugins to bring others


class _Settings:
    """The settings of one view: what its text showed, what its user said, and the result."""

    def __init__(self, shown: Table) -> None:
        self.shown = shown
        self.override: Table = {}
        self.table: Table = {}
        self.config = Config()


class Workspace:
    """The state behind one frontend; for one thread."""

    def __init__(self) -> None:
        """Begin with no view and the default settings."""
        self.kill_ring = KillRing()
        self._ids = count(1)
        self._views: dict[str, View] = {}
        self._settings: dict[str, _Settings] = {}
        self._general: Table = {}
        self._languages: dict[str, Table] = {}

    def open(self, path: str | None) -> View:
        """Return a new view on the file, or on an empty text; raises FileError when the file cannot be read."""
        on_disk = files.OnDisk(Rope.of("")) if path is None else files.load(path)
        number, _buffer = next(self._ids), next(self._ids)
        view = View(f"view-id-{number}", Buffer(path, on_disk))
        self._views[view.view_id] = view
        self._settings[view.view_id] = _Settings(whitespace.detected(view.text) if len(view.text) else {})
        self._resettle(view.view_id)
        return view

    def close(self, view_id: str) -> None:
        """Forget a view and its buffer; one that is not open is forgotten already."""
        self._views.pop(view_id, None)
        self._settings.pop(view_id, None)

    def view(self, view_id: str) -> View:
        """Return an open view; raises MissingViewError."""
        view = self._views.get(view_id)
        if view is None:
            raise MissingViewError(view_id)
        return view

    def table(self, view_id: str) -> Table:
        """Return all settings of a view; raises MissingViewError."""
        self.view(view_id)
        return dict(self._settings[view_id].table)

    def config(self, view_id: str) -> Config:
        """Return the settings that the editor reads; raises MissingViewError."""
        self.view(view_id)
        return self._settings[view_id].config

    def modify(self, domain: Domain, changes: Table) -> list[tuple[View, Table]]:
        """Change settings; None takes a key away. Return each view that is affected with what changed for it.

        Raises ConfigError, and nothing has changed, when a value cannot be; MissingViewError when the view is not open.
        """
        if isinstance(domain, str):
            self._general = changed(self._general, changes)
        else:
            for kind, name in domain.items():
                if kind == "user_override":
                    self.view(name)
                    self._settings[name].override = changed(self._settings[name].override, changes)
                else:
                    self._languages[name] = changed(self._languages.get(name, {}), changes)
        affected = ((view, self._resettle(view_id)) for view_id, view in self._views.items())
        return [(view, what) for view, what in affected if what]

    def _resettle(self, view_id: str) -> Table:
        """Bring a view's settings up to date; return what changed."""
        settings = self._settings[view_id]
        below = merged(self._general, self._languages.get(LANGUAGE, {}))
        shown = settings.shown if below["autodetect_whitespace"] else {}
        before, settings.table = settings.table, merged(below, shown, settings.override)
        settings.config = checked(settings.table)
        return {key: value for key, value in settings.table.items() if key not in before or before[key] != value} | {
            key: None for key in before if key not in settings.table
        }
