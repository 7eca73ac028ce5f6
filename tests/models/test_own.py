from pathlib import Path

import pytest
import torch

from reidar_plugin.io.download import DownloadError
from reidar_plugin.models import own
from reidar_plugin.models.own import PUBLISHED, Published, build_own, own_names
from reidar_plugin.models.trunks import build_trunk

pytestmark = pytest.mark.usefixtures("quick_weights")

SMALL = {"frame_size": (64, 32)}


def test_names() -> None:
    assert own_names() == ["res2net50", "res2net26", "vit_b16", "vit_t16"]
    assert PUBLISHED.keys() <= set(own_names())


@pytest.mark.parametrize("name", ["res2net26", "vit_t16"])
def test_weights_of_a_file_are_those_of_the_plain_network(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    square = build_own(name, frame_size=(224, 224)).network.state_dict()
    torch.save({**square, "head.weight": torch.zeros(3)}, tmp_path / "file.pth")
    prefix, inside = ("tea_", "") if name == "res2net26" else ("vtn_", "spatial.")
    made = build_trunk(prefix + name, pretrained=True, weights=str(tmp_path / "file.pth"), **SMALL)
    assert "1 unused (head.weight)" in capsys.readouterr().out
    tensors = made.network.state_dict()
    assert {inside + key for key in square} <= tensors.keys()
    for key, value in square.items():
        if key != "pos_embed":
            assert torch.equal(tensors[inside + key], value)


def test_fetches_once_and_says_where_a_file_belongs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def fetch(url: str, path: Path, sha256: str, size: int) -> None:
        asked.append((url, sha256, size))
        path.parent.mkdir()
        torch.save(build_own("vit_t16", **SMALL).network.state_dict(), path)

    def unreachable(*_: object, **__: object) -> None:
        raise DownloadError("no network")

    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    monkeypatch.setattr(own, "download", unreachable)
    monkeypatch.setitem(PUBLISHED, "vit_t16", Published("https://host/some-0123abcd.pth", 5))
    place = tmp_path / "checkpoints" / "some-0123abcd.pth"
    with pytest.raises(
        FileNotFoundError, match=rf"no network.*put the file of https://host/some-0123abcd.pth at {place}"
    ):
        build_own("vit_t16", pretrained=True, **SMALL)
    assert not list(tmp_path.iterdir())
    monkeypatch.setattr(own, "download", fetch)
    for _ in range(2):
        build_own("vit_t16", pretrained=True, **SMALL)
    assert asked == [("https://host/some-0123abcd.pth", "0123abcd", 5)]


def test_without_published_weights() -> None:
    with pytest.raises(
        FileNotFoundError, match="no ImageNet weights to fetch are known for res2net26; name a"
    ):
        build_own("res2net26", pretrained=True, **SMALL)


def test_the_last_stride_is_1_or_2() -> None:
    with pytest.raises(ValueError, match="the last stride must be 1 or 2, got 3"):
        build_own("res2net26", last_stride=3, **SMALL)
