"""What a chaos run leaves behind: more than ordinary life moves is told, and nothing else is."""

import pytest
from msgspec.structs import replace

from symphony.cli.chaos_run.footprint import MIB, SPARE_FDS, Footprint, ProcessUse, growth

BEFORE = Footprint(ProcessUse(1, 40, 40 * MIB), ProcessUse(2, 12, 20 * MIB), processes=7)


def more(**changes):
    return growth(BEFORE, replace(BEFORE, **changes))


def test_the_same_is_no_growth_and_less_is_none_either():
    assert more() == []
    assert more(processes=6, kernel=ProcessUse(1, 30, 30 * MIB)) == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"zombies": ("77",)}, "zombie: pid 77"),
        ({"orphans": ("pid 78 (sleep)",)}, "orphan: pid 78 (sleep)"),
        ({"processes": 8}, "8 processes below the warden, and 7 before"),
        ({"kernel": ProcessUse(1, 40 + SPARE_FDS + 1, 40 * MIB)}, "the kernel has 49 descriptors, and had 40"),
        ({"warden": ProcessUse(2, 12, 37 * MIB)}, "the warden has 37 MiB of memory, and had 20"),
    ],
    ids=["zombie", "orphan", "process", "descriptors", "memory"],
)
def test_what_there_is_more_of_is_told(changes, said):
    assert more(**changes) == [said]


def test_a_few_descriptors_and_mebibytes_more_are_ordinary():
    assert more(kernel=ProcessUse(1, 40 + SPARE_FDS, 55 * MIB)) == []
