"""The doctor's look at versions and owners."""

import sys

import pytest

from symphony.cli.installation_checks import fits, installation_findings


@pytest.mark.parametrize(
    ("installed", "bounds", "does_fit"),
    [
        ("4.5.0", ">=4.5,<4.6", True),
        ("4.6", ">=4.5,<4.6", False),
        ("4.4.2", ">=4.5,<4.6", False),
        ("4.10", ">=4.5", True),
        ("27.0", ">=27", True),
        ("1.0+local", "", True),
    ],
)
def test_a_version_is_held_against_its_bounds(installed, bounds, does_fit):
    assert fits(installed, bounds) is does_fit


def test_each_package_of_ours_has_one_owner_and_comes_from_one_place():
    findings = [finding for finding in installation_findings() if finding.name.startswith("package ")]

    assert len(findings) == 4
    assert all(finding.is_well for finding in findings)


def test_a_package_from_elsewhere_is_found_out(monkeypatch, tmp_path):
    """As PyPI's `adapters`, put before ours on the search path."""
    (tmp_path / "adapters").mkdir()
    (tmp_path / "adapters" / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "adapters", raising=False)

    (finding,) = [finding for finding in installation_findings() if finding.name == "package adapters"]

    assert not finding.is_well
    assert str(tmp_path) in finding.text
