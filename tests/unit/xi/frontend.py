"""A frontend without a process: a server on one side, a peer and a line cache for each view on the other."""

import msgspec

from xi.protocol import EditOut, LineCache, Notification, Peer, RequestError, Response, UpdateParams
from xi.server import Server


class Frontend:
    """Says things to a server and keeps in `heard`, in order, (method, params) and ("result" or "error", value)."""

    def __init__(self, *, started=True, extended=False):
        self.heard = []
        self.logged = []
        self.caches = {}
        self._peer = Peer()
        self.server = Server(self._receive, lambda event, fields: self.logged.append((event, fields)))
        if started:
            self.notify("client_started", {"symphony": 1} if extended else {})

    def raw(self, data):
        for event in self.server.receive(data):
            self.server.handle(event)

    def notify(self, method, params):
        self.raw(self._peer.notification(method, params))

    def ask(self, method, params):
        """Return the result, or raise the error."""
        _, data = self._peer.request(method, params)
        before = len(self.heard)
        self.raw(data)
        for kind, value in self.heard[before:]:
            if kind == "error":
                raise value
            if kind == "result":
                return value
        raise AssertionError(f"{method} was not answered")

    def open(self, path=None):
        view_id = self.ask("new_view", {} if path is None else {"file_path": str(path)})
        self.caches.setdefault(view_id, LineCache())
        return view_id

    def edit(self, view_id, method, params=()):
        """Send an edit command as xi does and return what came back."""
        before = len(self.heard)
        self.notify("edit", EditOut(method, view_id, params))
        return self.heard[before:]

    def insert(self, view_id, chars):
        return self.edit(view_id, "insert", {"chars": chars})

    def contents(self, view_id):
        return self.ask("debug_get_contents", {"view_id": view_id})

    def cursors(self, view_id):
        """Return (line, byte column) of each cursor in the valid lines."""
        lines = self.caches[view_id].lines(0, 1 << 40)
        return [(number, column) for number, line in enumerate(lines) if line for column in line.cursor]

    def _receive(self, data):
        for event in self._peer.receive(data):
            match event:
                case Notification("update", params):
                    decoded = msgspec.json.decode(params, type=UpdateParams)
                    self.caches.setdefault(decoded.view_id, LineCache()).apply(decoded.update)
                    self.heard.append(("update", msgspec.json.decode(params)))
                case Notification(method, params):
                    self.heard.append((method, msgspec.json.decode(params)))
                case Response(error=RequestError() as error):
                    self.heard.append(("error", error))
                case Response(result=result):
                    self.heard.append(("result", msgspec.json.decode(result)))
                case other:
                    raise AssertionError(f"the server sent {other}")
