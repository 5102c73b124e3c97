"""No actor of a user's runs in the kernel: such a tree is refused when it is loaded."""

import pytest

from actors.runtime import ChildSpec, SupervisorSpec
from actors.runtime.errors import SpecError
from actors.runtime.supervision.kernel_tree import check_kernel_tree

ACTOR = "shop.actors:Till"


def test_supervisors_may_live_in_the_kernel_and_actors_in_nodes_below_them():
    tree = SupervisorSpec(
        "root",
        [
            SupervisorSpec("sup", [ChildSpec("own", ACTOR, process=True)]),
            SupervisorSpec("node", [ChildSpec("shared", ACTOR)], process=True),
        ],
    )

    assert check_kernel_tree(tree) is tree


def test_every_actor_outside_of_a_node_is_named():
    tree = SupervisorSpec("root", [ChildSpec("a", ACTOR), SupervisorSpec("sup", [ChildSpec("b", ACTOR)])])

    with pytest.raises(SpecError) as refused:
        check_kernel_tree(tree)

    assert [problem.split(": ")[:3] for problem in refused.value.problems] == [
        ["/a", "process", "False"],
        ["/sup/b", "process", "False"],
    ]
    assert "give it `process=True`" in refused.value.problems[0]


def test_a_root_that_wants_a_process_of_its_own_is_refused():
    with pytest.raises(SpecError, match="the root lives in the kernel's own process"):
        check_kernel_tree(SupervisorSpec("root", process=True))


def test_an_actor_is_no_tree():
    with pytest.raises(SpecError, match="a tree is a SupervisorSpec"):
        check_kernel_tree(ChildSpec("a", ACTOR, process=True))
