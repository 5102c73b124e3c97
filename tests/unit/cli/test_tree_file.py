"""A tree in a file is the same spec as in Python; all that is wrong with it is said at once, with its line."""

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.runtime import Backoff, ChildSpec, RestartLimit, SupervisorSpec
from symphony.cli.own_tree.tree_file import MAX_DEPTH, read_tree
from symphony.domain.errors import InvalidRequestError

TREE = """
[tree]
id = "shop"
strategy = "rest_for_one"
intensity = 7
period = 30

[[child]]
id = "till"
actor = "shop.actors:Till"
args = [1, "a"]
kwargs = { start = 2 }
process = true
shutdown = "kill"
backoff = { min = 1, max = 2.5 }
limit = { intensity = 3, period = 60 }

[[child]]
id = "pool"
process = true
auto_shutdown = "any_significant"
  [[child.child]]
  id = "clerk"
  actor = "shop.actors:Clerk"
  restart = "transient"
  significant = true
"""


def problems_of(text):
    with pytest.raises(InvalidRequestError) as refused:
        read_tree(text, source="tree.toml")
    return list(refused.value.problems)


def test_a_file_is_the_same_spec_as_in_python():
    till = ChildSpec(
        "till",
        "shop.actors:Till",
        args=(1, "a"),
        kwargs={"start": 2},
        process=True,
        shutdown="kill",
        backoff=Backoff(min=1, max=2.5),
        limit=RestartLimit(3, 60),
    )
    clerk = ChildSpec("clerk", "shop.actors:Clerk", restart="transient", significant=True)
    pool = SupervisorSpec("pool", [clerk], process=True, auto_shutdown="any_significant")

    assert read_tree(TREE, source="tree.toml") == SupervisorSpec(
        "shop", [till, pool], strategy="rest_for_one", intensity=7, period=30.0
    )


def test_the_example_can_be_read():
    file = Path(__file__).parents[3] / "examples" / "tree.toml"

    assert [child.id for child in read_tree(file.read_text(), source=str(file)).children] == ["alone", "pair"]


def test_all_problems_are_said_at_once_each_with_its_line():
    text = TREE.replace("strategy =", "strategi =").replace("process = true\nshutdown", 'process = "yes"\nshutdown')
    text = text.replace("max = 2.5", "mox = 2.5").replace('restart = "transient"', 'restart = "sometimes"')

    assert problems_of(text) == [
        "tree.toml:13: child[0].process: 'yes': expected `bool`, got `str`",
        'tree.toml:15: child[0].backoff.mox: is not a key here; did you mean "max"?',
        "tree.toml:25: child[1].child[0].restart: 'sometimes': one of permanent, transient, temporary",
        'tree.toml:4: tree.strategi: is not a key here; did you mean "strategy"?',
    ]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (('id = "till"\n', ""), "tree.toml:8: child[0]: `id` is missing"),
        (('id = "till"', 'id = "pool"'), "tree.toml:19: child[1].id: 'pool': used once among its siblings"),
        (('actor = "shop.actors:Clerk"', ""), "tree.toml:22: child[1].child[0]: `actor` is missing"),
        (('actor = "shop.actors:Clerk"', 'aktor = "x:Y"'), 'child[1].child[0].aktor: is not a key here; did you mean "actor"?'),
        (('shutdown = "kill"', "shutdown = -1"), 'tree.toml:14: child[0].shutdown: -1.0: seconds, "kill" or "infinity"'),
        (('actor = "shop.actors:Till"', 'actor = "Till"'), "tree.toml:10: child[0].actor: 'Till'"),
        (("[tree]", "[tre]"), 'tree.toml:2: tre: is not a part of a tree; did you mean "tree"?'),
        (("intensity = 7", "children = []"), "tree.toml:5: tree.children: is not a key here"),
        (('id = "pool"', 'id = "pool"\nactor = "a:B"'), "child[1]: has both `actor`"),
        (("[[child.child]]", "[child.child]"), "child[1].child: must be tables"),
        (("period = 30", "period = 0"), "tree.toml:6: tree.period: 0.0: seconds, more than 0"),
        (("[tree]", "[tree"), "is not TOML"),
    ],
)
def test_each_mistake_is_said_with_its_place(change, problem):
    assert any(problem in said for said in problems_of(TREE.replace(*change)))


def test_a_tree_without_a_head_is_refused():
    assert problems_of("") == ["tree.toml: tree: is missing: a table, as in [tree], with an id at least"]


def test_a_tree_may_not_be_deeper_than_people_can_read():
    text = '[tree]\nid = "t"\n' + "".join(
        f'[[{".".join(["child"] * depth)}]]\nid = "c{depth}"\nstrategy = "one_for_one"\n' for depth in range(1, MAX_DEPTH + 2)
    )
    tomllib.loads(text)

    assert any(f"is deeper than {MAX_DEPTH} levels" in problem for problem in problems_of(text))


def test_numbers_that_no_one_can_read_and_nests_without_end_are_mistakes_like_others():
    assert "is not TOML" in problems_of(f'[tree]\nid = "t"\nintensity = {"1" * 5000}')[0]
    assert "nested too deeply" in problems_of(f"x = {'[' * 100_000}")[0]


LINES = TREE.splitlines()


@given(
    st.lists(
        st.tuples(st.integers(0, len(LINES) - 1), st.sampled_from(["", "=", "[[child.child]]", "x = 1", 'id = "a"', "child = 3"]))
    )
)
def test_any_file_is_a_tree_or_a_list_of_problems(changes):
    lines = list(LINES)
    for number, line in changes:
        lines[number] = line
    for problem in outcome("\n".join(lines)):
        assert problem.startswith("tree.toml")


def outcome(text):
    """Give the problems of a text, at least one, or none where it is a tree."""
    try:
        read_tree(text, source="tree.toml")
    except InvalidRequestError as error:
        return error.problems or ["refused without a reason"]
    return []
