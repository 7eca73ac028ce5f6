import sys

import pytest

from reidar_plugin.errors import ConfigError
from reidar_plugin.models.timm_networks.package import check_name

pytest.importorskip("timm")


def test_names_with_and_without_weights() -> None:
    check_name("resnet18")
    check_name("resnet18.a1_in1k")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("resnet81", "timm has no network 'resnet81'; the nearest names are resnet18"),
        ("resnet18.a1_in2k", "timm has no weights 'a1_in2k' of resnet18; the nearest names are a1_in1k"),
        ("hf-hub:someone/thing", "timm has no network 'hf-hub:someone/thing'"),
    ],
)
def test_unknown_names(name: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        check_name(name)


def test_without_timm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(
        ConfigError, match=r"reidar_timm_\.\.\. need timm .*: pip install 'reidar-plugin\[timm\]'"
    ):
        check_name("resnet18")
