"""That this torchreid is the one the plugin was written for."""

import pytest

from reidar_plugin import host
from reidar_plugin.host.signatures import changed_signatures


def test_this_torchreid_offers_what_the_plugin_relies_on() -> None:
    changed = changed_signatures()
    assert not changed, "torchreid has changed under the plugin:\n" + "\n".join(changed)


def test_a_changed_host_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    def build_model(name: str, num_classes: int, head: str) -> None: ...

    monkeypatch.setattr(host.reid.models, "build_model", build_model)
    monkeypatch.delattr(host.reid.utils, "read_image")
    first, second = changed_signatures()
    assert (
        first
        == "models.build_model: expected (name num_classes loss pretrained use_gpu), found (name num_classes head)"
    )
    assert second == "utils.read_image: expected (path), found (nothing of that name)"
