"""A label on its way from the CSV through the sum of two sources, sampler, worker and packing to the batch.

Each tracklet has pictures of one grey of its own. So what arrives is compared with the CSV by the pixels that came
with it, and not by any bookkeeping of the loaders.
"""

import math
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from reidar_plugin import host
from reidar_plugin.data.manager import ClipDataManager
from reidar_plugin.data.registry import datasets
from reidar_plugin.labels.spaces import ACTIONS5
from reidar_plugin.structures import ClipBatch
from tests.fakes import write_actions, write_lpw, write_mars

FIVE = ["walking", "riding", "item_one_hand", "item_both_hands", "phone_to_face"]
MARS_LABELS = [
    ("0002", "walking"),
    ("0002C2", "phone_to_ear|riding"),
    ("0002C2T0002", ""),
    ("0004", "none"),
    ("0003", "phone_to_face"),
    ("0005C1", "trolley|holding_hands"),
]
#: what the lines above mean, written out by hand; None is unknown
MARS_MEANING = {
    "0002C1T0001": {"walking"},
    "0002C1T0002": {"walking"},
    "0002C2T0001": {"item_one_hand", "riding"},
    "0002C2T0002": None,
    **{f"0004C{camera}T000{number}": set() for camera in (1, 2) for number in (1, 2)},
    **{f"0006C{camera}T000{number}": None for camera in (1, 2) for number in (1, 2)},
    **{f"0003C{camera}T000{number}": {"phone_to_face"} for camera in (1, 2) for number in (1, 2)},
    **{f"0005C1T000{number}": {"item_one_hand"} for number in (1, 2)},
    **{f"0005C2T000{number}": None for number in (1, 2)},
    **{f"0001C{camera}T000{number}": None for camera in (1, 2) for number in (1, 2)},
    "0000C1T0001": None,
    "0000C1T0002": None,
}


@pytest.fixture
def _registered(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, builder in datasets().items():
        monkeypatch.setitem(host.dataset_table("video"), name, builder)


@pytest.fixture
def greys(tmp_path: Path) -> dict[int, set[str] | None]:
    """Write both data sets; what the tracklet of each grey does."""
    mars = write_mars(tmp_path, train_people=3, frames=[1, 3], pictures=False)
    lpw = write_lpw(tmp_path, people=(1, 2, 1), frames=2, pictures=False)
    write_actions(mars / "actions.csv", MARS_LABELS)
    write_actions(lpw / "actions.csv", [("scen2/view1", "riding"), ("scen2/view1/2", "walking|trolley")])
    meaning: dict[int, set[str] | None] = {}
    numbers: dict[str, int] = {}

    def paint(path: Path, key: str, labels: set[str] | None) -> None:
        grey = numbers.setdefault(key, 3 * len(numbers) + 2)
        meaning[grey] = labels
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((32, 16, 3), grey, np.uint8)).save(path, format="PNG")  # PNG keeps the grey

    for half in ("train", "test"):
        for name in (mars / f"info/{half}_name.txt").read_text().split():
            if not name.startswith("00-1"):
                paint(mars / f"bbox_{half}" / name[:4] / name, name[:11], MARS_MEANING[name[:11]])
    lpw_meaning = {"scen2/view1/1": {"riding"}, "scen2/view1/2": {"walking", "item_one_hand"}}
    for path in sorted(lpw.rglob("*.jpg")):
        key = "/".join(path.parts[-4:-1])
        paint(path, key, lpw_meaning.get(key))
    assert max(meaning) < 256
    return meaning


def check(batch: ClipBatch, greys: dict[int, set[str] | None]) -> list[int]:
    """Compare each row with what its pixels stand for; the greys of the batch."""
    seen = []
    for frames, row, tracklet in zip(
        batch.frames, batch.labels.tolist(), batch.tracklets.tolist(), strict=True
    ):
        if tracklet < 0:
            assert all(map(math.isnan, row))
            continue
        (grey,) = frames.unique().tolist()
        seen.append(grey)
        labels = greys[grey]
        if labels is None:
            assert all(map(math.isnan, row)), (grey, row)
        else:
            assert row == [float(name in labels) for name in FIVE], (grey, row)
    return seen


@pytest.mark.usefixtures("_registered")
@pytest.mark.parametrize("workers", [0, pytest.param(2, marks=pytest.mark.slow)])
@pytest.mark.parametrize("sampler", ["RandomSampler", "identity_pass"])
def test_every_label_arrives_unchanged(
    tmp_path: Path, greys: dict[int, set[str] | None], sampler: str, workers: int
) -> None:
    data = ClipDataManager(
        root=str(tmp_path),
        sources=["mars_actions", "lpw_actions"],
        targets=["mars_actions", "lpw_actions"],
        space=ACTIONS5,
        train_sampler=sampler,
        num_instances=4,
        batch_size_train=4,
        batch_size_test=3,
        seq_len=2,
        height=32,
        width=16,
        workers=workers,
        use_gpu=False,
    )
    seen: list[int] = []
    for epoch in range(4):
        data.train_loader.set_epoch(epoch)
        for batch in data.train_loader:
            seen += check(batch, greys)
    kinds = {"unknown" if greys[grey] is None else len(greys[grey] or ()) for grey in seen}
    assert kinds == {"unknown", 0, 1, 2}  # each kind of label has come by
    for name, tracklets in (("mars_actions", 12 + 2), ("lpw_actions", 3)):
        found: set[int] = set()
        for part in ("query", "gallery"):
            for batch in data.test_loader[name][part]:
                found |= set(check(batch, greys))
        assert len(found) == tracklets
