"""What a checkpoint holds, and that it comes back."""

from pathlib import Path

from reidar_plugin.host import reid
from tests.engine_rig import build, config, differences, weights


def test_the_host_resumes_from_ours(mars: Path, whole: Path) -> None:
    engine = build(config(mars, whole / "unused"))
    file = str(whole / "model/model.pth.tar-3")
    epoch = reid.utils.resume_from_checkpoint(file, engine.model, engine.optimizer, engine.scheduler)
    expected = weights(whole, "model.pth.tar-3")
    assert epoch == 3
    assert differences(dict(engine.model.state_dict()), expected["state_dict"]) == []
    assert engine.scheduler.last_epoch == 3
    assert not any(name.startswith("module.") for name in expected["state_dict"])
    assert {"state_dict", "epoch", "rank1", "optimizer", "scheduler"} <= expected.keys()
    assert isinstance(expected["rank1"], float)
