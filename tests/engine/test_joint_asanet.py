"""ASA-Net through the one engine: trained, stopped and gone on with, tested, drawn."""

from pathlib import Path
from typing import Any

import pytest

from reidar_plugin.report.results import read_results
from tests import fakes
from tests.engine_rig import config, differences, run, weights


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A MARS with ten tracklets a person in the gallery, and attributes."""
    root = tmp_path_factory.mktemp("data")
    home = fakes.write_mars(root, train_people=3, test_people=2, tracklets=6, frames=[2], distractors=1)
    keys = sorted({name.partition("F")[0] for name in (home / "info/train_name.txt").read_text().split()})
    rows = [
        f"{int(key[:4])},{int(key[5])},{int(key[7:])},{place % 2},{place % 6}"
        for place, key in enumerate(keys)
    ]
    (home / "attributes.csv").write_text("\n".join(["person-id,camera,tracklet,hat,pose", *rows]) + "\n")
    return root


OPTIONS: dict[str, Any] = {
    "model__name": "asanet",
    "reidar__labels__attributes": ["hat", "pose"],
    "reidar__model__asanet__backbone": "resnet18",
    "reidar__loss__terms": ["smoothed_cross_entropy", "identity_centre", "attributes", "pose_motion"],
    "reidar__loss__embedding": "pooled",
    "reidar__loss__pose_motion__rise_below": 10.0,
}


@pytest.mark.slow
@pytest.mark.usefixtures("no_chart", "quick_weights")
def test_asanet_goes_on_to_the_same_bits_and_is_drawn(data: Path, tmp_path: Path) -> None:
    whole = run(config(data, tmp_path / "whole", **OPTIONS, train__max_epoch=2))
    assert set(OPTIONS["reidar__loss__terms"]) <= set(whole.history.epochs[0])
    run(config(data, tmp_path / "parts", **OPTIONS, train__max_epoch=1))
    run(config(data, tmp_path / "parts", **OPTIONS, train__max_epoch=2))
    expected, found = (weights(tmp_path / name, "model.pth.tar-2") for name in ("whole", "parts"))
    assert bool(
        expected["reidar"]["parts"]["objective"]["pose_motion_weight.reached"]
    )  # the schedule has moved
    assert differences(expected["state_dict"], found["state_dict"]) == []
    assert differences(expected["reidar"]["parts"]["objective"], found["reidar"]["parts"]["objective"]) == []

    best = str(tmp_path / "whole/model/model-best.pth.tar")
    shown = {"test__evaluate": True, "test__visrank": True, "model__load_weights": best}
    run(config(data, tmp_path / "shown", **OPTIONS, **shown))
    names = {path.name.split("_", 2)[-1] for path in (tmp_path / "shown/visrank_mars_actions").iterdir()}
    assert names == {"ranked.png", "masks.png", "embedding.png"}  # no temporal attention to show
    protocols = [record["protocol"] for record in read_results(tmp_path / "shown").retrieval]
    assert protocols == ["MARS usual", "MARS no-distractors", "MARS mixing"]
