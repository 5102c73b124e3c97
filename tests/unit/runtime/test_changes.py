"""What a reload does is known, path by path, before it is done."""

import pytest

from actors.runtime import ChildSpec, SupervisorSpec
from actors.runtime.errors import SpecError
from actors.runtime.supervision.changes import Change, changes_of, check_reload


def worker(name, **fields):
    return ChildSpec(name, "shop.actors:Till", process=True, **fields)


def root(*children, **fields):
    return SupervisorSpec("root", children, **fields)


def test_each_child_is_added_removed_changed_adjusted_or_left_alone():
    old = root(worker("same"), worker("gone"), worker("other", args=(1,)), worker("rules", shutdown=1.0))
    new = root(worker("same"), worker("other", args=(2,)), worker("rules", shutdown=2.0), worker("new"))

    assert changes_of(old, new) == (
        Change("/same", "unchanged"),
        Change("/other", "changed"),
        Change("/rules", "adjusted"),
        Change("/new", "added"),
        Change("/gone", "removed"),
    )


def test_what_changes_below_a_supervisor_is_named_and_the_supervisor_goes_on():
    old = root(SupervisorSpec("sup", [worker("a"), worker("b")]))
    new = root(SupervisorSpec("sup", [worker("a"), worker("c")]))

    assert changes_of(old, new) == (
        Change("/sup", "adjusted"),
        Change("/sup/a", "unchanged"),
        Change("/sup/c", "added"),
        Change("/sup/b", "removed"),
    )


def test_other_rules_of_the_root_are_named():
    assert changes_of(root(), root(intensity=9)) == (Change("/", "adjusted"),)
    assert changes_of(root(), root()) == ()


@pytest.mark.parametrize(
    ("new", "problem"),
    [
        (SupervisorSpec("other"), "the tree that runs is 'root', and this is another one"),
        (root(worker("w"), strategy="dynamic"), "/: strategy: 'dynamic': only a stop and a start"),
    ],
)
def test_what_a_running_root_cannot_become_is_refused(new, problem):
    with pytest.raises(SpecError, match=problem):
        check_reload(root(worker("w")), new)


def test_any_other_change_of_a_running_root_is_taken():
    check_reload(root(worker("w")), root(strategy="one_for_all", intensity=7, period=1.0, on_exhausted="park"))
