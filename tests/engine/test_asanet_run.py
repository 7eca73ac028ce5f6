"""ASA-Net through the one engine: trained, tested, drawn."""

from pathlib import Path

import fakes
import pytest
from engine_rig import config, run

from reidar_plugin.report.results import read_results


@pytest.mark.slow
def test_asanet_is_trained_tested_and_drawn(tmp_path: Path) -> None:
    home = fakes.write_mars(tmp_path, train_people=3, test_people=2, tracklets=6, frames=[2], distractors=1)
    keys = sorted({name.partition("F")[0] for name in (home / "info/train_name.txt").read_text().split()})
    rows = [
        f"{int(key[:4])},{int(key[5])},{int(key[7:])},{place % 2},{place % 6}"
        for place, key in enumerate(keys)
    ]
    (home / "attributes.csv").write_text("\n".join(["person-id,camera,tracklet,hat,pose", *rows]) + "\n")
    options = {
        "model__name": "asanet",
        "reidar__labels__attributes": ["hat", "pose"],
        "reidar__model__asanet__backbone": "resnet18",
        "reidar__loss__terms": [
            "smoothed_cross_entropy",
            "weighted_regularisation",
            "attributes",
            "pose_motion",
        ],
        "reidar__loss__embedding": "pooled",
        "train__max_epoch": 1,
    }
    engine = run(config(tmp_path, tmp_path / "log", **options))
    assert set(options["reidar__loss__terms"]) <= set(engine.record.history[0])
    best = tmp_path / "log/model/model-best.pth.tar"
    options |= {"test__evaluate": True, "test__visrank": True, "model__load_weights": str(best)}
    run(config(tmp_path, tmp_path / "shown", **options))
    names = {path.name.split("_", 2)[-1] for path in (tmp_path / "shown/visrank_mars_actions").iterdir()}
    assert names == {"ranked.png", "masks.png", "embedding.png"}  # no temporal attention to show
    assert [record["protocol"] for record in read_results(tmp_path / "shown").retrieval] == [
        "MARS usual",
        "MARS no-distractors",
        "MARS mixing",
    ]
