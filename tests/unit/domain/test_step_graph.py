"""A graph is runnable, or every reason why not is given."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from symphony.domain.step_graph import cycle_in, graph_problems
from tests.support.workflows import acyclic_needs, workflow

GRAPHS = st.dictionaries(st.sampled_from("abcdef"), st.lists(st.sampled_from("abcdef"), max_size=3))


@given(needs=acyclic_needs())
def test_no_cycle_is_found_where_there_is_none(needs):
    assert cycle_in(needs) == ()
    assert graph_problems(workflow(needs).steps) == []


@given(needs=GRAPHS)
def test_a_cycle_found_is_one_and_none_is_missed(needs):
    cycle = cycle_in(needs)

    if cycle:
        assert cycle[0] == cycle[-1]
        assert all(after in needs[before] for before, after in pairwise(cycle))
    else:
        assert runs_to_the_end(needs)


def runs_to_the_end(needs):
    left = dict(needs)
    while ready := [name for name, needed in left.items() if not set(needed) & left.keys()]:
        for name in ready:
            del left[name]
    return not left


def test_a_chain_longer_than_the_stack_is_read():
    needs = {f"s{n}": [f"s{n - 1}"] if n else [] for n in range(10_000)}

    assert cycle_in(needs) == ()


def test_every_problem_is_listed():
    flow = workflow({"a": ["b"], "b": ["a", "nobody"]})

    problems = graph_problems((*flow.steps, flow.steps[0]))

    assert problems == [
        'steps: 2 have the id "a"',
        'steps.b: needs "nobody", which is no step',
        "steps: a needs b needs a, a cycle",
    ]


def test_no_steps_are_a_problem():
    assert graph_problems(()) == ["steps: there are none"]
