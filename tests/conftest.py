"""What holds for every test: it leaves nothing behind, and it answers the same on a slow machine as on a fast one."""

import os
from collections.abc import Iterator
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, settings

from tests.support.leaks import Held, left_behind, survivors

GRACE_S = 2.0
SESSION_VARIABLE = "SYMPHONY_TEST_SESSION"

# No deadline and no "too slow": both measure the machine, not the code. CI draws the same examples every time; at a desk new ones
# are drawn, and a failure prints the blob that brings it back.
settings.register_profile("desk", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", parent=settings.get_profile("desk"), derandomize=True, database=None)
settings.load_profile("ci" if os.environ.get("CI") else "desk")


@pytest.fixture(autouse=True)
def _nothing_is_left_behind() -> Iterator[None]:
    """Fail the test that leaves a thread, a child process or more than a few file descriptors; set up first, torn down last."""
    before = Held.now()
    yield
    if lines := left_behind(before, grace_s=GRACE_S):
        pytest.fail("the test left behind:\n  " + "\n  ".join(lines), pytrace=False)


@pytest.fixture(autouse=True, scope="session")
def _no_process_outlives_the_session() -> Iterator[None]:
    """Fail the session after which a process lives on, daemons and orphans included: all inherit one variable."""
    session = uuid4().hex
    os.environ[SESSION_VARIABLE] = session
    yield
    if lines := survivors(SESSION_VARIABLE, session, grace_s=GRACE_S):
        pytest.fail("the tests left processes behind (now killed):\n  " + "\n  ".join(lines), pytrace=False)
