"""What the network says of tracklets."""

from pathlib import Path
from typing import Any

import pytest
import torch

from reidar_plugin.engine.evaluator import Evaluator
from reidar_plugin.engine.joint import JointEngine
from reidar_plugin.errors import ConfigError
from tests import fakes
from tests.engine_rig import build, config, run


def test_packed_clips_say_what_single_tracklets_say(mars: Path, tmp_path: Path) -> None:
    """Each tracklet alone, clip by clip, averaged by hand."""
    engine = build(config(mars, tmp_path, reidar__test__thresholds="half"))
    target = engine.evaluator.extract_target("mars_actions")
    engine.model.eval()
    for part, side in (("query", target.query), ("gallery", target.gallery)):
        source: Any = engine.datamanager.test_loader["mars_actions"][part].dataset
        assert len(side.outputs.features) == len(source.table)
        for place in (0, len(source.table) - 1):
            rows, likelihoods = [], []
            for clip in [n for n, owner in enumerate(source.plan.tracklets) if owner == place]:
                frames = engine.datamanager.normalise(source[clip].frames)
                with torch.no_grad():
                    output = engine.model(frames)
                rows.append(output.feature[0])
                likelihoods.append(1 / (1 + torch.exp(-output.action_logits[0])))
            assert len(rows) >= 2
            torch.testing.assert_close(side.outputs.features[place], torch.stack(rows).mean(dim=0))
            torch.testing.assert_close(side.outputs.likelihoods[place], torch.stack(likelihoods).mean(dim=0))


def test_low_precision_features_are_float32(mars: Path, tmp_path: Path) -> None:
    full = build(config(mars, tmp_path)).evaluator.extract_target("mars_actions").query.outputs
    low = (
        build(config(mars, tmp_path, reidar__train__precision="bfloat16"))
        .evaluator.extract_target("mars_actions")
        .query.outputs
    )
    assert low.features.dtype is torch.float32
    torch.testing.assert_close(low.features, full.features, rtol=0.1, atol=0.1)
    assert not torch.equal(low.features, full.features)


def test_a_model_of_the_host_is_refused(mars: Path, tmp_path: Path) -> None:
    engine = build(config(mars, tmp_path))
    evaluator = Evaluator(torch.nn.Flatten(), engine.datamanager, engine.precision)
    with pytest.raises(TypeError, match=r"needs a model that returns a JointOutput, got Tensor"):
        evaluator.extract_target("mars_actions")
    cfg = config(mars, tmp_path)
    with pytest.raises(ConfigError, match=r"has a feature_dim .*, and Linear has none"):
        JointEngine.from_config(cfg, engine.datamanager, torch.nn.Linear(1, 1), engine.optimizer, None)


@pytest.mark.filterwarnings("ignore:.*replaced by")
def test_counts_broken_frames(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = fakes.write_mars(tmp_path, train_people=6, test_people=3, frames=3)
    broken = [
        *home.glob("bbox_train/0002/*F002.jpg"),
        *sorted(home.glob("bbox_test/0001/*F002.jpg"))[:1],
    ]
    for path in broken:
        path.write_bytes(b"no picture")
    options = {"train__max_epoch": 1, "reidar__data__train_clips": "consecutive", "video__seq_len": 3}
    run(config(tmp_path, tmp_path / "log", reidar__data__on_broken="skip", **options))
    output = capsys.readouterr().out
    assert "mars_actions query: broken frames that a neighbour in their tracklet replaced so far: 1" in output
    assert "training: broken frames" in output
    with pytest.raises(OSError, match=r"F002.jpg"):
        run(config(tmp_path, tmp_path / "other", **options))
