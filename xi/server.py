"""The frontend protocol served, without I/O: events in, bytes out.

Messages are handled in the order they came, each to its end, so any request is a barrier: its reply follows every update that
earlier edits caused. Whatever the frontend sends, the server goes on: a request that cannot be served gets an error, a
notification an `alert`, and both a line in the log. That goes for our own mistakes too, since unsaved text is worth more than a
clean death.

An extension of xi's protocol: a frontend whose `client_started` has a key `symphony` may send `edit` and `save` as requests. An
edit is answered with null after its update, a save with the SHA-256 and size of what was written. Without that key they are
notifications only, as in xi.
"""

import traceback
from collections.abc import Callable
from enum import Enum
from typing import Any

import msgspec
from msgspec import UNSET

from xi.editor.commands import Context, command_named, is_cut_or_copy, run
from xi.editor.config import ConfigError
from xi.editor.view import View
from xi.editor.workspace import LANGUAGE, Workspace
from xi.protocol import methods, updates
from xi.protocol.errors import MissingViewError, NotBuiltError, RequestError
from xi.protocol.jsonrpc import Event, Malformed, Notification, Peer, Request, Response

_INTERNAL_ERROR = -32603
_NAME_LIMIT = 100

Log = Callable[[str, dict[str, object]], None]
_Reply = Callable[[object], None]


class _Kind(Enum):
    """How a method may be sent."""

    REQUEST = "request"
    NOTIFICATION = "notification"
    EXTENDED = "notification, and a request by the extension"


class Server:
    """One frontend's conversation; for one thread, which feeds it bytes and writes what it sends."""

    def __init__(self, send: Callable[[bytes], None], log: Log) -> None:
        """Say everything through `send`, in order; report what went wrong to `log(event, fields)`. Neither may raise."""
        self._send = send
        self._log = log
        self._peer = Peer()
        self._workspace = Workspace()
        self._is_started = False
        self._is_extended = False
        self._counts: dict[str, int] = {}
        self._methods: dict[str, tuple[_Kind, msgspec.json.Decoder[Any], Callable[[Any, _Reply], None]]] = {
            "client_started": (_Kind.NOTIFICATION, msgspec.json.Decoder(methods.ClientStarted), self._client_started),
            "new_view": (_Kind.REQUEST, msgspec.json.Decoder(methods.NewView), self._new_view),
            "close_view": (_Kind.NOTIFICATION, msgspec.json.Decoder(methods.ViewOnly), self._close_view),
            "save": (_Kind.EXTENDED, msgspec.json.Decoder(methods.Save), self._save),
            "edit": (_Kind.EXTENDED, msgspec.json.Decoder(methods.Edit), self._edit),
            "get_config": (_Kind.REQUEST, msgspec.json.Decoder(methods.ViewOnly), self._get_config),
            "debug_get_contents": (_Kind.REQUEST, msgspec.json.Decoder(methods.ViewOnly), self._get_contents),
            "modify_user_config": (_Kind.NOTIFICATION, msgspec.json.Decoder(methods.ModifyUserConfig), self._modify_config),
        }

    def receive(self, data: bytes) -> list[Event]:
        """Return the events in `data`, for `handle` in their order."""
        return self._peer.receive(data)

    def receive_end(self) -> list[Event]:
        """Return the event of an unterminated last line, once the input has ended."""
        return self._peer.receive_end()

    def handle(self, event: Event) -> None:
        """Serve one event; raises nothing."""
        match event:
            case Notification(method, params):
                self._notified(method, params)
            case Request(number, method, params):
                self._requested(number, method, params)
            case Malformed(reason, excerpt, number):
                self._report("message.malformed", reason=reason, excerpt=excerpt)
                if number is not None:
                    self._send(self._peer.error(number, RequestError(f"Invalid request: {reason}")))
            case Response(number, method):
                self._report("response.unexpected", id=number, method=method)

    def _requested(self, number: int, method: str, params: msgspec.Raw) -> None:
        try:
            self._serve(method, params, lambda result: self._send(self._peer.result(number, result)), is_request=True)
        except RequestError as error:
            self._report("request.refused", method=method[:_NAME_LIMIT], reason=error.message)
            self._send(self._peer.error(number, error))
        except Exception as error:  # our bug, and others' unsaved text is at stake: see the module
            self._report_bug(method, error)
            self._send(self._peer.error(number, RequestError(f"internal error: {error!r}", _INTERNAL_ERROR)))

    def _notified(self, method: str, params: msgspec.Raw) -> None:
        try:
            self._serve(method, params, lambda _result: None, is_request=False)
        except MissingViewError as error:  # xi-core says nothing: an edit may cross with the closing of its view
            self._report("notification.ignored", method=method, reason=error.message)
        except RequestError as error:
            self._report("notification.refused", method=method[:_NAME_LIMIT], reason=error.message)
            self._say("alert", updates.Alert(error.message))
        except Exception as error:  # as for requests
            self._report_bug(method, error)
            self._say("alert", updates.Alert(f"internal error in {method}: {error!r}"))

    def _serve(self, method: str, params: msgspec.Raw, reply: _Reply, *, is_request: bool) -> None:
        known = self._methods.get(method)
        if known is None:
            name = method[:_NAME_LIMIT]
            raise NotBuiltError(name) if method in methods.KNOWN_METHODS else RequestError(f"unknown method {name}")
        if not self._is_started and method != "client_started":
            raise RequestError(f"{method} came before client_started, which must be first")
        kind, decoder, handler = known
        try:
            decoded = decoder.decode(params)
        except (msgspec.DecodeError, RecursionError) as error:
            raise RequestError(f"{method}: wrong parameters: {error}") from error
        name = decoded.method if isinstance(decoded, methods.Edit) else method
        if kind is _Kind.EXTENDED:
            kind = _Kind.REQUEST if is_request and self._is_extended else _Kind.NOTIFICATION
            if isinstance(decoded, methods.Edit) and is_cut_or_copy(decoded.method):
                kind = _Kind.REQUEST
        if is_request is not (kind is _Kind.REQUEST):
            raise RequestError(f"{name[:_NAME_LIMIT]} is a {kind.value}: send it {'without' if is_request else 'with'} an id")
        handler(decoded, reply)

    def _client_started(self, params: methods.ClientStarted, _reply: _Reply) -> None:
        if self._is_started:
            raise RequestError("client_started came a second time; it is sent once")
        self._is_started = True
        self._is_extended = params.symphony is not UNSET
        self._say("available_languages", updates.AvailableLanguages([]))
        self._say("available_themes", updates.AvailableThemes([]))

    def _new_view(self, params: methods.NewView, reply: _Reply) -> None:
        view = self._workspace.open(params.file_path)
        view_id = view.view_id
        reply(view_id)
        self._say("available_plugins", updates.AvailablePlugins(view_id, []))
        self._say("config_changed", updates.ConfigChanged(view_id, self._workspace.table(view_id)))
        self._say("language_changed", updates.LanguageChanged(view_id, LANGUAGE))
        self._render(view)

    def _close_view(self, params: methods.ViewOnly, _reply: _Reply) -> None:
        self._workspace.close(params.view_id)

    def _save(self, params: methods.Save, reply: _Reply) -> None:
        view = self._workspace.view(params.view_id)
        saved = view.buffer.save(params.file_path, self._workspace.config(params.view_id))
        self._render(view)
        # Empty, as from xi-core: it looks the language up by the path, and no language here claims any path.
        self._say("language_changed", updates.LanguageChanged(params.view_id, ""))
        reply(saved)

    def _edit(self, params: methods.Edit, reply: _Reply) -> None:
        command = command_named(params.method)
        view = self._workspace.view(params.view_id)
        context = Context(view, self._workspace.config(params.view_id), self._workspace.kill_ring, params.params)
        try:
            outcome = run(command, context)
            self._render(view, outcome.requested)
        except RequestError as error:
            raise RequestError(f"{params.method}: {error.message}", error.code) from error
        except Exception:  # the command may have stopped between the text and the view
            view.recover()
            raise
        reply(outcome.result)

    def _get_config(self, params: methods.ViewOnly, reply: _Reply) -> None:
        reply(self._workspace.table(params.view_id))

    def _get_contents(self, params: methods.ViewOnly, reply: _Reply) -> None:
        reply(str(self._workspace.view(params.view_id).text))

    def _modify_config(self, params: methods.ModifyUserConfig, _reply: _Reply) -> None:
        try:
            affected = self._workspace.modify(params.domain, params.changes)
        except ConfigError as error:
            raise RequestError(f"modify_user_config: {error}") from error
        for view, changes in affected:
            self._say("config_changed", updates.ConfigChanged(view.view_id, changes))
            self._render(view)

    def _render(self, view: View, requested: tuple[int, int] | None = None) -> None:
        self._say("update", updates.UpdateParams(view.view_id, view.render(requested)))
        target = view.take_scroll_target()
        if target is not None:
            self._say("scroll_to", updates.ScrollTo(view.view_id, *target))

    def _say(self, method: str, params: object) -> None:
        self._send(self._peer.notification(method, params))

    def _report_bug(self, method: str, error: Exception) -> None:
        self._report("internal.error", method=method, error="".join(traceback.format_exception(error)))

    def _report(self, event: str, **fields: object) -> None:
        count = self._counts[event] = self._counts.get(event, 0) + 1
        self._log(event, {"count": count, **fields})
