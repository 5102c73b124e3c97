"""What authors write: the Operator class, its marked methods and the checks on their arguments."""

import datetime as dt
import functools
from typing import Annotated, Any

import msgspec
import pytest

import symphony.sdk
from symphony.sdk import Operator, RefusedError, operation
from symphony.sdk.signature import operations_of


class Sample(Operator):
    @operation
    def repeat(self, text: str, times: int = 2, *, upper: bool = False) -> dict[str, Any]:
        return {"text": (text.upper() if upper else text) * times}

    @operation
    def typed(self, raw: bytes, when: dt.date, share: Annotated[float, msgspec.Meta(le=1)], free) -> dict[str, Any]:
        return {"types": [type(value).__name__ for value in (raw, when, share, free)]}

    def unmarked(self) -> None: ...


class Derived(Sample):
    @operation
    def none(self) -> dict[str, Any]:
        return {}


def refusal(name: str, **arguments: object) -> str:
    with pytest.raises(RefusedError) as caught:
        operations_of(Sample())[name].call(arguments)
    return str(caught.value)


def test_the_public_face_is_three_names():
    assert symphony.sdk.__all__ == ["Operator", "RefusedError", "operation"]


def test_marked_methods_are_the_operations_inherited_ones_too():
    found = operations_of(Derived())

    assert {name: [parameter.name for parameter in each.parameters] for name, each in found.items()} == {
        "none": [],
        "repeat": ["text", "times", "upper"],
        "typed": ["raw", "when", "share", "free"],
    }


def test_arguments_with_a_default_may_be_left_out():
    repeat = operations_of(Sample())["repeat"]

    assert repeat.call({"text": "a"}) == {"text": "aa"}
    assert repeat.call({"text": "a", "times": 1, "upper": True}) == {"text": "A"}


def test_annotated_arguments_are_converted_and_others_passed_on():
    found = operations_of(Sample())["typed"].call({"raw": b"x", "when": "2026-01-31", "share": 1, "free": None})

    assert found == {"types": ["bytes", "date", "float", "NoneType"]}


def test_every_wrong_argument_is_named():
    assert refusal("repeat", txt="a", times="2").splitlines() == [
        "txt: repeat takes no such argument; did you mean text?",
        "text: repeat needs this argument",
        "times: Expected `int`, got `str`",
    ]


def test_text_is_not_taken_for_base64_where_bytes_are_wanted():
    assert "raw: Expected `bytes`, got `str`" in refusal("typed", raw="YWJj", when="2026-01-31", share=0.5, free=1)


def test_constraints_of_an_annotation_hold():
    assert "share: Expected `float` <= 1.0" in refusal("typed", raw=b"", when="2026-01-31", share=2, free=1)


def test_arguments_to_an_operation_that_takes_none_are_refused():
    with pytest.raises(RefusedError, match="x: none takes no such argument; it takes none"):
        operations_of(Derived())["none"].call({"x": 1})


def _positional(self, text, /): ...
def _rest(self, *texts): ...
def _anything(self, **texts): ...
def _selfless(): ...
async def _coroutine(self): ...
def _generator(self):
    yield


@pytest.mark.parametrize(
    ("method", "rule"),
    [
        (_positional, "arguments arrive by name, so these parameters cannot be given: text"),
        (_rest, r"cannot be given: \*texts"),
        (_anything, r"cannot be given: \*\*texts"),
        (_selfless, "first parameter is self"),
        (_coroutine, "coroutines and generators are not built yet"),
        (_generator, "coroutines and generators are not built yet"),
    ],
)
def test_a_method_that_cannot_be_called_by_name_is_refused_where_it_is_defined(method, rule):
    method.__name__ = "public"

    with pytest.raises(TypeError, match=rule):
        operation(method)


def test_private_names_and_things_that_are_no_methods_are_refused():
    with pytest.raises(TypeError, match="does not start with an underscore"):
        operation(lambda_named("_hidden"))
    with pytest.raises(TypeError, match="put it nearest to the def"):
        operation(staticmethod(len))
    with pytest.raises(TypeError, match="marks a method"):
        operation(functools.partial(print))


def lambda_named(name: str):
    def method(self): ...

    method.__name__ = name
    return method


def test_an_annotation_that_cannot_be_read_is_the_authors_mistake_and_named():
    class Unreadable(Operator):
        @operation
        def run(self, text: "Missing") -> dict[str, Any]:  # noqa: F821 - the missing name is the point
            return {}

    with pytest.raises(TypeError, match=r"run: its annotations cannot be read: name 'Missing' is not defined"):
        operations_of(Unreadable())


def test_an_annotation_that_msgspec_cannot_check_is_named():
    class Ambiguous(Operator):
        @operation
        def run(self, items: list[int] | set[int]) -> dict[str, Any]:
            return {}

    with pytest.raises(TypeError, match="run: items: nothing can be checked as"):
        operations_of(Ambiguous())
