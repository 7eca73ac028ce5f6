"""A small street, planned once for all tests of the videos; nobody may change it."""

import pytest

from reidar_plugin.synthped.videos.street import Street, StreetSize, plan_street

SIZE = StreetSize(people=10, cameras=2, seconds=20.0, rate=8, size=(96, 160))


@pytest.fixture(scope="session")
def street() -> Street:
    return plan_street(0, SIZE)
