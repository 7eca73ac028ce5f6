"""What a config makes of the parts of an engine."""

from pathlib import Path
from typing import Any

import pytest
import torch

from reidar_plugin.checkpoint.fingerprint import RunFingerprint
from reidar_plugin.engine.build import build_network, check_devices, fingerprint_of
from reidar_plugin.engine.joint import JointEngine
from reidar_plugin.errors import ConfigError
from reidar_plugin.host import defaults
from reidar_plugin.ranks import job
from reidar_plugin.ranks.batch_norm import SyncedBatchNorm
from reidar_plugin.ranks.job import ALONE, Job
from reidar_plugin.structures import Targets
from tests.engine_rig import build, config, first_step, run


def test_refuses_another_number_of_action_blocks(mars: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"the model has 3 action blocks .* 'actions8' has 8"):
        build(config(mars, tmp_path, reidar__model__num_actions=3))


def test_class_weights_are_counted_on_the_training_people(mars: Path, tmp_path: Path) -> None:
    """Six people, 4 tracklets each; person n does the (n mod 8)-th action, n = 2, 4, ..., 12."""
    ratios = build(config(mars, tmp_path)).objective.losses["weighted_binary_cross_entropy"].ratios
    expected = [4 / 24 if action % 2 == 0 else 0.0 for action in range(8)]
    for person in (10, 12):
        expected[person % 8] += 4 / 24
    assert torch.as_tensor(ratios).tolist() == pytest.approx([min(e, 1.0) for e in expected])


def test_trains_without_an_action_network(mars: Path, tmp_path: Path) -> None:
    terms = ["smoothed_cross_entropy", "ranked_list", "identity_centre", "erasing"]
    engine = run(
        config(mars, tmp_path, reidar__model__num_actions=0, reidar__loss__terms=terms, train__max_epoch=1)
    )
    assert engine.fingerprint.actions == ()
    assert engine.results.actions is None
    assert len(engine.centre_optimizers) == 1


def test_the_hosts_schedule(mars: Path, tmp_path: Path) -> None:
    options = {"train__lr_scheduler": "multi_step", "train__stepsize": [1], "train__max_epoch": 2}
    engine = run(config(mars, tmp_path, reidar__train__schedule="host", **options))
    assert [row["lr"] for row in engine.history.epochs] == pytest.approx([3e-4, 3e-5])
    options["train__max_epoch"] = 3
    again = run(config(mars, tmp_path, reidar__train__schedule="host", **options))
    assert [row["lr"] for row in again.history.epochs] == pytest.approx([3e-4, 3e-5, 3e-5])
    with pytest.raises(
        ConfigError, match=r"reidar.train.schedule: unknown 'papers'; choose one of paper, host"
    ):
        build(config(mars, tmp_path, reidar__train__schedule="papers"))


def test_what_a_subclass_registers_is_saved_too(mars: Path, tmp_path: Path) -> None:
    class WithTeacher(JointEngine):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.teacher = torch.nn.Linear(2, 2)
            self.register_model("teacher", self.teacher, torch.optim.SGD(self.teacher.parameters(), lr=0.1))

    cfg = config(mars, tmp_path, train__max_epoch=1)
    engine = build(cfg, WithTeacher)
    torch.nn.init.constant_(engine.teacher.weight, 7.0)
    engine.run(**defaults.engine_arguments(cfg))
    cfg.train.max_epoch = 2
    again = build(cfg, WithTeacher)
    assert not (again.teacher.weight == 7).any()
    again.run(**defaults.engine_arguments(cfg))
    assert (again.teacher.weight == 7).all()


def test_compiles(mars: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = first_step(build(config(mars, tmp_path)))
    compiled = torch.compile
    monkeypatch.setattr(torch, "compile", lambda network: compiled(network, backend="eager"))
    engine = build(config(mars, tmp_path, reidar__train__compile=True))
    assert engine.network is not engine.model
    assert first_step(engine)["loss"] == pytest.approx(plain["loss"], rel=1e-5)
    assert not any("_orig_mod" in name for name in engine.model.state_dict())


def test_a_model_is_unwrapped(mars: Path, tmp_path: Path) -> None:
    engine = build(config(mars, tmp_path))
    wrapped = torch.nn.DataParallel(engine.model)
    again = JointEngine(engine.datamanager, wrapped, engine.optimizer, engine.objective, use_gpu=False)
    assert again.network is engine.model
    targets = Targets(
        torch.tensor([0, 1]), torch.zeros(2, 8), torch.zeros(2, 0), torch.zeros(2, 2, dtype=torch.bool)
    )
    assert again.step(torch.randn(2, 2, 3, 32, 16), targets).isfinite().all()


def test_a_run_without_a_config_has_a_fingerprint(mars: Path, tmp_path: Path) -> None:
    engine = build(config(mars, tmp_path))
    assert fingerprint_of(engine.model, engine.datamanager) == RunFingerprint("JointModel", 6)


def test_the_fingerprint_of_a_config(mars: Path, tmp_path: Path) -> None:
    fingerprint = build(config(mars, tmp_path)).fingerprint
    assert (fingerprint.model, fingerprint.identities, fingerprint.attributes) == ("tiny", 6, ())
    assert len(fingerprint.actions) == 8
    assert fingerprint.training.startswith("24 tracklets with people and labels ")


def test_ranks_join_their_normalisations_and_are_not_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job, "_current", Job(1, 2))
    network = torch.nn.Sequential(torch.nn.BatchNorm2d(3))
    assert build_network(network, compiled=False) is network
    assert isinstance(network[0], SyncedBatchNorm)
    with pytest.raises(ConfigError, match=r"reidar\.train\.compile cannot compile .* use one rank"):
        build_network(network, compiled=True)


def test_every_rank_needs_a_gpu_of_its_own(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    check_devices(Job(5, 8, local_rank=1), use_gpu=True)
    check_devices(Job(2, 4, local_rank=2), use_gpu=False)
    assert capsys.readouterr().out == ""
    with pytest.raises(ConfigError, match=r"rank 2 of 4: this machine has 2 GPUs"):
        check_devices(Job(2, 4, local_rank=2), use_gpu=True)
    check_devices(ALONE, use_gpu=True)
    assert "torchrun --nproc-per-node 2 uses all" in capsys.readouterr().out


def test_actions_that_are_not_there_are_no_evidence(mars: Path, tmp_path: Path) -> None:
    options: dict[str, Any] = {"reidar__model__num_actions": 0, "reidar__loss__terms": ["ranked_list"]}
    with pytest.raises(ConfigError, match=r"reidar\.test\.action_weight: the model has no action network"):
        build(config(mars, tmp_path, reidar__test__action_weight=0.1, **options))
