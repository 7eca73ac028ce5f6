"""timm's small networks for every test beside this file."""

from typing import Any

import pytest


@pytest.fixture
def small_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    """timm builds them small, under their own names."""
    # in here: without timm this file must still be read, and the tests say why they are skipped
    from tests.models.timm_networks.small import NETWORKS, timm

    create = timm.create_model

    def smaller(name: str, **options: Any) -> Any:
        return create(name, **{**options, **(NETWORKS[name].changes if name in NETWORKS else {})})

    monkeypatch.setattr(timm, "create_model", smaller)
