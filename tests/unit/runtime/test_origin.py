"""Where packages come from, and what a process that has them from elsewhere is told."""

from pathlib import Path

from actors.runtime.origin import foreign, origins_of


def test_a_package_comes_from_a_file():
    origins = origins_of(["actors", "no_such_package_anywhere"])

    assert Path(origins["actors"]).name == "__init__.py"
    assert origins["no_such_package_anywhere"] == ""


def test_the_same_files_are_no_problem_and_packages_that_only_the_other_has_are_none_either():
    own = {"actors": "/x/actors/__init__.py", "xi": ""}

    assert foreign(own, {**own, "more": "/y"}) == []


def test_each_package_from_elsewhere_is_named_with_both_places():
    own = {"b": "/x/b.py", "a": "/x/a.py", "c": "/x/c.py"}

    assert foreign(own, {"a": "/y/a.py", "b": "/x/b.py"}) == [
        "a was loaded from /y/a.py, not from /x/a.py",
        "c was loaded from nowhere, not from /x/c.py",
    ]
