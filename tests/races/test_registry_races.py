"""Adding, removing and looking up meet in the registry: whoever is replaced is released once, and a look-up finds or says no."""

from types import SimpleNamespace

import pytest

from actors.runtime.errors import NoSuchActorError
from actors.runtime.registry import Registry
from tests.support.interleavings import assert_caught, assert_holds


class Cell:
    """A cell, as far as the registry looks at it."""

    def __init__(self, path, *, is_supervisor=False):
        self.path = path
        self.kind = SimpleNamespace(is_supervisor=is_supervisor)
        self.released = []

    def release(self):
        self.released.append("released")


class AddsUnlocked(Registry):
    """Two who are added at one path replace the same one, and one of them is never released."""

    def add(self, cell):
        before = self._cells.get(cell.path)
        self._cells[cell.path] = cell
        if before is not None:
            before.release()


class LooksThenFinds(Registry):
    """Finds nobody where it has just seen somebody."""

    def find(self, path):
        if path not in self._cells:
            raise NoSuchActorError(path)
        return self._cells[path]


class RemovesUnlocked(Registry):
    """Forgets whom it has seen below, also where that is another by now, or gone."""

    def remove(self, path):
        if path in self._cells:
            cell = self._cells[path]
            del self._cells[path]
            if cell.kind.is_supervisor:
                for below in [known for known in self._cells if known.startswith(path + "/")]:
                    del self._cells[below]


class Met:
    """A registry in which threads meet."""

    registry_class = Registry

    def __init__(self):
        self.registry = self.registry_class()
        self.cells = [Cell("/a") for _ in range(3)]
        self.added = []
        self.failed = []
        self.add(self.cells[0])

    def add(self, cell):
        self.added.append(cell)
        self.registry.add(cell)

    def add_one(self):
        self.add(self.cells[1])

    def add_another(self):
        self.add(self.cells[2])

    def remove(self):
        try:
            self.registry.remove("/a")
        except (KeyError, RuntimeError) as error:
            self.failed.append(error)

    def find(self):
        try:
            if self.registry.find("/a") not in self.cells:
                self.failed.append("found another")
        except NoSuchActorError:
            pass
        except (KeyError, RuntimeError) as error:
            self.failed.append(error)

    def look_around(self):
        try:
            if any(cell not in self.cells for cell in self.registry.cells()):
                self.failed.append("listed another")
        except (KeyError, RuntimeError) as error:
            self.failed.append(error)

    def check(self):
        assert not self.failed
        assert all(len(cell.released) <= 1 for cell in self.cells)
        assert not any(cell.released for cell in self.registry.cells())


class AddAddFind(Met):
    """Two are added at one path, and somebody sends there: all but the last are released."""

    threads = (Met.add_one, Met.add_another, Met.find)

    def check(self):
        super().check()
        assert [cell for cell in self.added if not cell.released] == self.registry.cells()


class RemoveFind(Met):
    """Somebody sends where the actor is removed, or was."""

    threads = (Met.remove, Met.find, Met.look_around)


class RemoveRemove(Met):
    """A supervisor is removed as one of its children is."""

    def __init__(self):
        super().__init__()
        self.cells = [Cell("/a", is_supervisor=True), *(Cell(f"/a/{number}") for number in range(2))]
        for cell in self.cells:
            self.registry.add(cell)

    def remove_child(self):
        try:
            self.registry.remove("/a/1")
        except (KeyError, RuntimeError) as error:
            self.failed.append(error)

    threads = (Met.remove, remove_child, Met.look_around)

    def check(self):
        assert not self.failed


def named(part):
    return part.__name__


@pytest.mark.parametrize("race", [AddAddFind, RemoveFind, RemoveRemove], ids=named)
def test_who_is_replaced_is_released_once_and_a_look_up_finds_or_says_no(race):
    assert_holds(race)


@pytest.mark.parametrize(
    ("race", "twin"),
    [
        (AddAddFind, AddsUnlocked),
        (RemoveFind, LooksThenFinds),
        (RemoveRemove, RemovesUnlocked),
    ],
    ids=named,
)
def test_a_registry_that_has_the_bug_is_caught(race, twin):
    assert_caught(type(race.__name__, (race,), {"registry_class": twin}))
