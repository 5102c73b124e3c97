"""Layers: the start order of children, neighbours of the same `layer` together."""

from collections.abc import Iterable
from itertools import groupby

from .spec import AnySpec


def layers_of(children: Iterable[tuple[str, AnySpec]]) -> list[list[str]]:
    """Give the ids in start order, those that start together in one list. A child without a layer is alone in its own."""
    places = [
        (child_id, ("alone", number) if spec.layer is None else ("layer", spec.layer))
        for number, (child_id, spec) in enumerate(children)
    ]
    return [[child_id for child_id, _ in layer] for _, layer in groupby(places, key=lambda place: place[1])]
