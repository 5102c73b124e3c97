"""The ports are what their documentation says, and their adapters have the same shape.

What an adapter does is in tests/contract; this holds what can be read without running it.
"""

import inspect
from collections.abc import AsyncIterator
from importlib import import_module
from typing import get_origin

import pytest

from symphony.domain.errors import KINDS, DeadlineExceededError, UnavailableError
from symphony.ports import ConductorPort, ExtensionPort, PitPort, TextEditingPort
from symphony.ports.declared import declared_errors

ADAPTERS = {
    TextEditingPort: ["adapters.text_editing.in_memory:InMemoryTextEditing", "adapters.text_editing.xi_editor:XiEditorAdapter"],
    PitPort: ["adapters.pit.in_memory:InMemoryPit", "adapters.pit.actor_backed:PitAdapter"],
    ExtensionPort: ["adapters.extension.in_memory:InMemoryExtensions", "adapters.extension.actor_hosted:ActorExtensionAdapter"],
    ConductorPort: ["adapters.conductor.in_memory:InMemoryConductor", "adapters.conductor.python:PythonConductorAdapter"],
}


def methods_of(port):
    return {name: value for name, value in vars(port).items() if inspect.isfunction(value) and not name.startswith("_")}


METHODS = [
    pytest.param(port, name, method, id=f"{port.__name__}.{name}")
    for port in ADAPTERS
    for name, method in methods_of(port).items()
]
IMPLEMENTATIONS = [
    pytest.param(method, name, place, id=f"{place}.{name}")
    for port, places in ADAPTERS.items()
    for place in places
    for name, method in methods_of(port).items()
]


@pytest.mark.parametrize(("port", "name", "method"), METHODS)
def test_a_port_method_is_a_coroutine_or_gives_an_async_iterator(port, name, method):
    gives = inspect.signature(method).return_annotation

    assert inspect.iscoroutinefunction(method) != (get_origin(gives) is AsyncIterator)


@pytest.mark.parametrize(("port", "name", "method"), METHODS)
def test_a_port_method_declares_its_errors_which_are_leaves_of_the_tree(port, name, method):
    errors = declared_errors(method)

    assert errors
    assert set(errors) <= set(KINDS.values())
    assert UnavailableError in errors  # whatever is behind a port may be away


@pytest.mark.parametrize(("port", "name", "method"), METHODS)
def test_a_port_method_documents_every_error_that_is_the_caller_s_move(port, name, method):
    documentation = inspect.getdoc(method)

    assert documentation
    for error in set(declared_errors(method)) - {UnavailableError, DeadlineExceededError}:
        assert error.__name__ in documentation


@pytest.mark.parametrize(("method", "name", "place"), IMPLEMENTATIONS)
def test_an_adapter_has_the_signature_of_its_port(method, name, place):
    """Names, kinds, annotations and defaults: a caller who wrote for one adapter wrote for all."""
    module, _, adapter = place.partition(":")
    implementation = getattr(import_module(module), adapter).__dict__[name]

    assert inspect.signature(implementation) == inspect.signature(method)
    assert inspect.iscoroutinefunction(implementation) == inspect.iscoroutinefunction(method)
    assert inspect.getdoc(implementation)


@pytest.mark.parametrize("port", ADAPTERS, ids=lambda port: port.__name__)
def test_a_port_has_an_adapter_and_says_from_where_it_may_be_called(port):
    assert ADAPTERS[port]
    assert "event loop" in inspect.getdoc(port)
