"""Which checkpoint a run goes on from or tests, and why it does not."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from reidar_plugin.checkpoint import compatibility
from reidar_plugin.checkpoint.compatibility import check_ranks, check_same_run, check_weights
from reidar_plugin.checkpoint.fingerprint import RunFingerprint
from reidar_plugin.checkpoint.state import OURS
from reidar_plugin.checkpoint.store import CheckpointError
from reidar_plugin.errors import ConfigError, ReidarError
from tests import fakes
from tests.checkpoint.runs import EPOCHS, Hostile
from tests.engine_rig import OSNET, build, config, run, weights


def test_says_so_when_no_checkpoint_is_whole(mars: Path, two: Path) -> None:
    for path in (two / "model").iterdir():
        path.write_bytes(b"")
    with pytest.raises(CheckpointError, match=r"none of 2 checkpoints in .*model is whole"):
        run(config(mars, two, **EPOCHS))


def test_refuses_pickled_code_in_one_line(
    mars: Path, two: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"state_dict": {}, "epoch": 3, "reidar": Hostile()}, two / "model/model.pth.tar-3")
    with pytest.raises(
        CheckpointError, match=r"model.pth.tar-3 holds (posix|nt|os).mkdir, .* refused"
    ) as refusal:
        run(config(mars, two, **EPOCHS))
    assert "\n" not in str(refusal.value)
    assert not (tmp_path / "hostile_code_ran").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"model__name": OSNET}, "model: tiny, here reidar_osnet_x0_25"),
        ({"reidar__labels__space": "actions3"}, "actions: .*'trolley'], here .*'using_hands']"),
        ({"train__lr": 0.1}, r"another config \(train.lr: 0.0003, here 0.1\)"),
        ({"reidar__train__resume": "off"}, "holds checkpoints of 3 epochs and reidar.train.resume is off"),
    ],
    ids=["model", "label space", "config", "off"],
)
def test_says_what_differs(mars: Path, two: Path, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ReidarError, match=message) as refusal:
        run(config(mars, two, **EPOCHS, **options))
    assert "\n" not in str(refusal.value)


def test_says_that_the_number_of_people_differs(two: Path, tmp_path: Path) -> None:

    fakes.write_mars(tmp_path / "other", train_people=4, test_people=3, frames=3)
    with pytest.raises(CheckpointError, match=r"identities: 6, here 4"):
        run(config(tmp_path / "other", two, **EPOCHS))


def test_says_that_labels_were_edited(tmp_path: Path) -> None:

    fakes.write_mars(tmp_path / "data", train_people=6, test_people=3, frames=3)
    table = tmp_path / "data/mars/actions.csv"
    run(config(tmp_path / "data", tmp_path / "log", train__max_epoch=1))
    lines = table.read_text().splitlines()  # 0002 is a person of the training set
    table.write_text(
        "".join("0002,walking|riding\n" if line.startswith("0002,") else f"{line}\n" for line in lines)
    )
    with pytest.raises(CheckpointError, match=r"training: 24 tracklets with people and labels \w+, here 24"):
        run(config(tmp_path / "data", tmp_path / "log", train__max_epoch=2))


def test_the_hosts_cosine_ties_the_number_of_epochs(mars: Path, tmp_path: Path) -> None:
    cosine = {"reidar__train__schedule": "host", "train__lr_scheduler": "cosine"}
    run(config(mars, tmp_path, train__max_epoch=1, **cosine))
    with pytest.raises(CheckpointError, match=r"another config \(train.max_epoch: 1, here 2\)"):
        run(config(mars, tmp_path, train__max_epoch=2, **cosine))


@pytest.mark.parametrize(
    "longer", [{"train__max_epoch": 4}, {"train__max_epoch": 2}, {"test__rerank": True, "data__workers": 1}]
)
def test_some_keys_may_change(mars: Path, two: Path, longer: dict[str, Any]) -> None:
    engine = run(config(mars, two, **{**EPOCHS, **longer}))
    assert engine.position.epoch == max(3, longer.get("train__max_epoch", 3))
    assert engine.outcome is not None


def test_off_starts_in_an_empty_folder(mars: Path, tmp_path: Path) -> None:
    engine = run(config(mars, tmp_path, train__max_epoch=1, reidar__train__resume="off"))
    assert engine.position.epoch == 1
    with pytest.raises(ConfigError, match=r"reidar.train.resume: unknown 'always'; choose one of auto, off"):
        build(config(mars, tmp_path, reidar__train__resume="always"))


# model.resume


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"train__lr": 0.1},
            r"another config \(train.lr: 0.0003, here 0.1\): take that config, or start from its",
        ),
        (
            {"reidar__labels__space": "actions3"},
            r"is of another model: it .*actions.weight is \(8, 4\), here \(3, 4\)",
        ),
    ],
    ids=["config", "label space"],
)
def test_model_resume_says_what_differs(
    mars: Path, whole: Path, tmp_path: Path, options: dict[str, Any], message: str
) -> None:
    resume = str(whole / "model/model.pth.tar-2")
    with pytest.raises(CheckpointError, match=message) as refusal:
        run(config(mars, tmp_path, model__resume=resume, **EPOCHS, **options))
    assert "\n" not in str(refusal.value)
    assert not (tmp_path / "results.json").exists()


def without_epoch(state: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in state.items() if key != "epoch"}


def without_moments(state: dict[str, Any]) -> dict[str, Any]:
    return {**state, "optimizer": {"state": {}, "param_groups": []}}


def broken_config(state: dict[str, Any]) -> dict[str, Any]:
    return {**state, OURS: {**state[OURS], "config": "model: ["}}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (without_epoch, "named.pth holds weights and no epoch, .*; name it in model.load_weights"),
        (
            lambda state: state["state_dict"],
            "named.pth is no checkpoint: it has no state_dict; weights alone go",
        ),
        (lambda state: {**state, "more": Hostile()}, r"named.pth holds (posix|nt).mkdir, .* refused"),
        (
            lambda state: {**state, "state_dict": {}},
            r"named.pth: the checkpoint is of another model: it lacks base",
        ),
        (without_moments, r"named.pth does not fit this run \(ValueError: .*; take the config"),
    ],
    ids=["no epoch", "weights alone", "hostile", "empty", "another optimiser"],
)
def test_model_resume_of_what_cannot_be_resumed_is_one_line(
    mars: Path, whole: Path, tmp_path: Path, change: Callable[[Any], Any], message: str
) -> None:
    torch.save(change(weights(whole, "model.pth.tar-2")), tmp_path / "named.pth")
    with pytest.raises(CheckpointError, match=message) as refusal:
        build(config(mars, tmp_path / "log", model__resume=str(tmp_path / "named.pth"), **EPOCHS))
    assert "\n" not in str(refusal.value)


def test_model_resume_of_half_a_file_is_one_line(mars: Path, whole: Path, tmp_path: Path) -> None:
    content = (whole / "model/model.pth.tar-2").read_bytes()
    (tmp_path / "half.pth").write_bytes(content[: len(content) // 2])
    with pytest.raises(CheckpointError, match=r"half.pth is not whole \([\d,]+ bytes\).*; copy it again"):
        build(config(mars, tmp_path / "log", model__resume=str(tmp_path / "half.pth"), **EPOCHS))


def test_model_resume_of_an_older_one_does_not_mix_two_runs(mars: Path, two: Path) -> None:
    with pytest.raises(
        CheckpointError, match=r"names model.pth.tar-2, and .* holds the newer model.pth.tar-3"
    ):
        run(config(mars, two, model__resume=str(two / "model/model.pth.tar-2"), **EPOCHS))


def test_goes_on_from_a_checkpoint_of_the_host(
    mars: Path, whole: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state = weights(whole, "model.pth.tar-2")
    del state["reidar"]
    torch.save(state, tmp_path / "model.pth.tar-2")
    engine = run(config(mars, tmp_path / "log", model__resume=str(tmp_path / "model.pth.tar-2"), **EPOCHS))
    assert engine.position.epoch == 3
    output = capsys.readouterr().out
    assert (
        "a checkpoint of the host: model and optimiser go on, centres and random numbers start anew" in output
    )
    assert "epoch: [3/3]" in output
    assert "epoch: [2/3]" not in output


# Weights that are tested


def other_width(tensors: dict[str, Any]) -> dict[str, Any]:
    return {**tensors, "bottleneck.weight": torch.ones(9)}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda tensors: {"classifier.weight": tensors["classifier.weight"]},
            r"no base.0.weight; .*, and \d+ more",
        ),
        (
            lambda tensors: {k: v for k, v in tensors.items() if k != "actions.weight"},
            "nothing: no actions.weight;",
        ),
        (other_width, r"bottleneck.weight is \(9,\), here \(8,\)"),
        (lambda tensors: {f"net.{name}": value for name, value in tensors.items()}, "no base.0.weight"),
    ],
    ids=["classifier alone", "without the actions", "another width", "other names"],
)
def test_refuses_to_test_a_model_that_the_file_does_not_fill(
    mars: Path, tmp_path: Path, change: Callable[[dict[str, Any]], dict[str, Any]], message: str
) -> None:
    file = tmp_path / "weights.pth"
    engine = build(config(mars, tmp_path / "log", test__evaluate=True, model__load_weights=str(file)))
    torch.save(change(dict(engine.model.state_dict())), file)
    with pytest.raises(CheckpointError, match=message) as refusal:
        engine.run(save_dir=str(tmp_path / "log"), test_only=True)
    assert "\n" not in str(refusal.value)
    assert not (tmp_path / "log").exists()


def of_other_people(tensors: dict[str, Any]) -> dict[str, Any]:
    table = {"identity": {"model": "tiny", "identities": 99, "training": "others"}}
    return {"state_dict": {**tensors, "classifier.weight": torch.zeros(99, 8)}, "reidar": table}


def of_the_host(tensors: dict[str, Any]) -> dict[str, Any]:
    return {"state_dict": tensors, "epoch": 3, "rank1": np.float32(0.5)}


def without_counts(tensors: dict[str, Any]) -> dict[str, Any]:
    """As torch wrote weights before 0.4.1; nothing reads the counts at test."""
    left = {name: value for name, value in tensors.items() if not name.endswith("num_batches_tracked")}
    assert left.keys() < tensors.keys()
    return left


@pytest.mark.parametrize(
    "change",
    [
        dict,
        lambda tensors: {f"module.{name}": value for name, value in tensors.items()},
        of_other_people,
        of_the_host,
        without_counts,
    ],
    ids=["state dict", "of DataParallel", "of other people", "of the host", "without counts of batches"],
)
@pytest.mark.parametrize("old", [False, True], ids=["new format", "old format"])
def test_tests_any_plain_file_that_fills_the_model(
    mars: Path, tmp_path: Path, change: Callable[[dict[str, Any]], dict[str, Any]], old: bool
) -> None:
    file = tmp_path / "weights.pth"
    cfg = config(mars, tmp_path / "log", test__evaluate=True, model__load_weights=str(file))
    engine = build(cfg)
    torch.save(change(dict(engine.model.state_dict())), file, _use_new_zipfile_serialization=not old)
    check_weights(file, engine.model, engine.fingerprint, cfg.dump())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"model__name": OSNET}, "model: tiny, here reidar_osnet_x0_25"),
        (
            {"reidar__labels__space": "own", "reidar__labels__names": [f"a{n}" for n in range(8)]},
            "actions: .*, here .*'a7'",
        ),
        (
            {"reidar__model__attention_relu": False},
            "was trained with reidar.model.attention_relu: True, here False, .*: take those values",
        ),
    ],
    ids=["model", "actions", "a switch without weights"],
)
def test_refuses_to_test_weights_of_another_model(
    mars: Path, tmp_path: Path, options: dict[str, Any], message: str
) -> None:
    run(config(mars, tmp_path / "a", train__max_epoch=1))
    file = str(tmp_path / "a/model/model-best.pth.tar")
    options |= {"reidar__labels__required": False, "data__sources": ["mars"], "data__targets": ["mars"]}
    with pytest.raises(CheckpointError, match=message):
        run(config(mars, tmp_path / "b", test__evaluate=True, model__load_weights=file, **options))


@pytest.mark.parametrize("way", ["tested", "gone on from"])
def test_a_file_whose_config_is_none_is_one_line(mars: Path, whole: Path, tmp_path: Path, way: str) -> None:
    torch.save(broken_config(weights(whole, "model.pth.tar-2")), tmp_path / "named.pth")
    file = str(tmp_path / "named.pth")
    options: dict[str, Any] = (
        {"test__evaluate": True, "model__load_weights": file} if way == "tested" else {"model__resume": file}
    )
    with pytest.raises(
        CheckpointError, match=r"named\.pth holds a config that is none \(.*while parsing"
    ) as caught:
        run(config(mars, tmp_path / "b", **options))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("identity", [5, "x", None, ["model"]])
def test_a_file_whose_identity_is_none_is_one_line(tmp_path: Path, identity: Any) -> None:
    state = {"reidar": {"identity": identity, "config": ""}, "state_dict": {}}
    ours = RunFingerprint("tiny", 4)
    with pytest.raises(CheckpointError, match=r"named\.pth does not say of which run it is; choose another"):
        check_same_run(Path("named.pth"), state, ours, "")
    torch.save(state, tmp_path / "named.pth")
    with pytest.raises(
        CheckpointError, match=r"named\.pth does not say of which run it is; load the weights"
    ):
        check_weights(tmp_path / "named.pth", torch.nn.Linear(1, 1), ours, "")


def test_a_checkpoint_that_cannot_be_gone_on_from_is_named(mars: Path, whole: Path, tmp_path: Path) -> None:
    state = weights(whole, "model.pth.tar-2")
    state["optimizer"]["param_groups"][0]["betas"] = "x"
    (tmp_path / "model").mkdir()
    torch.save(state, tmp_path / "model/model.pth.tar-2")
    with pytest.raises(
        CheckpointError, match=r"model/model\.pth\.tar-2: the checkpoint does not fit this run: .*betas"
    ):
        run(config(mars, tmp_path, **EPOCHS))


@pytest.mark.parametrize(
    ("training", "config", "message"),
    [
        ("12 tracklets a", "train: {seed: 7, lr: 0.1}", None),
        ("12 tracklets a", "train: {seed: 7, lr: 0.1}\ndata: {root: elsewhere, workers: 9}", None),
        (
            "12 tracklets a",
            "train: {seed: 77, lr: 0.4}",
            r"train.lr: 0.1 at rank 0, 0.4 at rank 1; train.seed: 7 .* 77",
        ),
        (
            "12 tracklets a",
            "train: {seed: 7, lr: 0.1}\ntest: {eval_freq: 3}",
            r"test.eval_freq: -1 at rank 0, 3 at rank 1",
        ),
        (
            "12 tracklets b",
            "train: {seed: 7, lr: 0.1}",
            "training: '12 tracklets a' at rank 0, '12 tracklets b' at rank 1",
        ),
    ],
)
def test_ranks_are_of_one_run(
    training: str, config: str, message: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def told(training: str, config: str) -> None:
        check_ranks(RunFingerprint("reidar_resnet50", 5, training=training), config)

    texts: list[str] = []

    def of_all(text: str) -> list[str]:
        texts.append(text)
        return texts

    monkeypatch.setattr(compatibility, "texts_of_all", of_all)
    told("12 tracklets a", "train: {seed: 7, lr: 0.1}")
    if message is None:
        told(training, config)
        return
    with pytest.raises(ConfigError, match=message):
        told(training, config)
