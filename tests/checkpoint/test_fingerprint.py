import re
from typing import Any

import pytest
import torch

from reidar_plugin.checkpoint.fingerprint import (
    FREE,
    RunFingerprint,
    config_changes,
    describe_training,
    model_changes,
)
from reidar_plugin.config import add_reidar_config
from reidar_plugin.data.tracklet_table import TrackletTable
from reidar_plugin.data.tracklets import Frames
from reidar_plugin.host.defaults import toolbox_config
from reidar_plugin.labels.spaces import LabelSpace
from tests.standin import REPO

pytestmark = pytest.mark.usefixtures("quick_weights")


def test_tells_what_differs() -> None:
    ours = RunFingerprint("reidar_resnet50_ibn_a", 625, ("walking", "riding"))
    assert ours.differences(ours.as_plain()) == []
    theirs = RunFingerprint("reidar_resnet50_ibn_a", 1975, ("walking",)).as_plain()
    assert ours.differences(theirs) == [
        "identities: 1975, here 625",
        "actions: ['walking'], here ['walking', 'riding']",
    ]
    assert ours.differences(theirs, tested=True) == ["actions: ['walking'], here ['walking', 'riding']"]
    del theirs["actions"]  # as if the fact had come with a later version
    assert ours.differences(theirs) == ["identities: 1975, here 625"]


def test_values_of_other_kinds_differ_in_few_letters() -> None:
    ours = RunFingerprint("tiny", 4, ("walking",))
    for value in ("m" * 5000, ["walking"] * 5000, torch.zeros(3), None, {"a": [1]}, "a\nb"):
        for key in ("model", "identities", "actions"):
            [said] = ours.differences({**ours.as_plain(), key: value})
            assert said.startswith(f"{key}: ")
            assert len(said) < 300
            assert "\n" not in said
    assert ours.differences({**ours.as_plain(), "identities": 4.0}) == ["identities: 4.0, here 4"]
    [said] = config_changes("testing: %s\n" % ("x" * 5000), "testing: 2\n")
    assert len(said) < 300


def test_training_is_told_apart_by_every_label_and_frame() -> None:
    space = LabelSpace("own", ("walking", "riding"))

    def described(labels: str = "walking", frames: int = 3, camid: int = 0) -> str:
        paths = Frames([f"{n}.jpg" for n in range(frames)], "0001C1T0001", frozenset([labels]))
        return describe_training(TrackletTable([(paths, 0, camid, 0)], space))

    assert described() == described()
    assert described().startswith("1 tracklets with people and labels ")
    assert len({described(), described("riding"), described(frames=4), described(camid=1)}) == 4


def test_the_hosts_cosine_ends_with_the_last_epoch() -> None:
    def changes(schedule: str, decay: str) -> list[str]:
        text = (
            f"train: {{max_epoch: %d, lr_scheduler: {decay}}}\nreidar: {{train: {{schedule: {schedule}}}}}\n"
        )
        return config_changes(text % 60, text % 90)

    assert changes("host", "cosine") == ["train.max_epoch: 60, here 90"]
    assert changes("paper", "cosine") == changes("host", "multi_step") == []


def test_some_keys_are_free_to_change() -> None:
    saved = "train: {lr: 0.1, max_epoch: 60}\ntest: {rerank: false}\nreidar: {train: {keep: 2, clip: 0.0}}\n"
    ours = "train: {lr: 0.2, max_epoch: 120}\ntest: {rerank: true}\nreidar: {train: {keep: 5, clip: 1.0}}\n"
    assert config_changes(saved, saved) == []
    assert config_changes(saved, ours) == ["reidar.train.clip: 0.0, here 1.0", "train.lr: 0.1, here 0.2"]


def test_what_the_joint_engine_never_reads_is_free() -> None:
    """Configs of before set ``data.transforms: []``, which is an error today."""
    assert config_changes(full(data__transforms=[]), full()) == []


def test_a_free_key_is_not_a_prefix_of_others() -> None:
    assert config_changes("testing: 1\n", "testing: 2\n") == ["testing: 1, here 2"]


def test_keys_that_nobody_knows_any_more_are_passed_over() -> None:
    assert config_changes("train: {lr: 0.1, old: 1}\n", "train: {lr: 0.1, new: 2}\n") == []
    assert config_changes("", "train: {lr: 0.1}\n") == []  # the run of the checkpoint had no config


def full(**options: Any) -> str:
    """A whole config as yaml; options as ``reidar__model__pooling="mean"``."""
    cfg = add_reidar_config(toolbox_config())
    cfg.merge_from_list([part for key, value in options.items() for part in (key.replace("__", "."), value)])
    return cfg.dump()


def test_a_key_that_came_with_a_version_had_its_default_before() -> None:
    saved = "".join(line for line in full().splitlines(True) if "attention_relu" not in line)
    assert saved != full()
    assert config_changes(saved, full()) == []
    assert config_changes(saved, full(reidar__model__attention_relu=False)) == [
        "reidar.model.attention_relu: True, here False"
    ]


JOINT = {"model__name": "reidar_resnet50"}
ASANET = {"model__name": "asanet"}
MAPS = {**JOINT, "reidar__model__action_source": "layer3"}


@pytest.mark.parametrize(
    ("both", "ours", "changes"),
    [
        (JOINT, {"reidar__model__attention_relu": False}, ["attention_relu: True, here False"]),
        (JOINT, {"reidar__model__last_stride": 2}, ["last_stride: 1, here 2"]),
        (JOINT, {"reidar__model__pooling": "gem"}, ["pooling: 'attention', here 'gem'"]),
        (
            JOINT,
            {"reidar__model__action_activation": "leaky_relu"},
            ["action_activation: 'relu', here 'leaky_relu'"],
        ),
        (ASANET, {"reidar__model__asanet__mask": "sigmoid"}, ["asanet.mask: 'linear', here 'sigmoid'"]),
        (JOINT, {"reidar__model__asanet__mask": "sigmoid", "train__lr": 0.1}, []),
        (ASANET, {"reidar__model__pooling": "mean", "reidar__model__attention_relu": False}, []),
        ({**JOINT, "reidar__model__pooling": "mean"}, {"reidar__model__attention_relu": False}, []),
        (
            {**JOINT, "reidar__model__num_actions": 0},
            {"reidar__model__action_activation": "leaky_relu"},
            [],
        ),
        (MAPS, {"reidar__model__action_pooling": "max"}, ["action_pooling: 'clip', here 'max'"]),
        (JOINT, {"reidar__model__action_source": "layer3"}, ["action_source: 'feature', here 'layer3'"]),
        (JOINT, {"reidar__model__action_pooling": "max"}, []),
        (JOINT, {"reidar__model__action_dropout": 0.0, "reidar__model__weights": "file"}, []),
    ],
)
def test_tells_switches_of_a_model_that_its_weights_do_not_show(
    both: dict[str, Any], ours: dict[str, Any], changes: list[str]
) -> None:
    assert model_changes(full(**both), full(**both, **ours)) == [f"reidar.model.{each}" for each in changes]
    assert model_changes("", full(**both, **ours)) == model_changes(full(**both), "") == []


def test_a_switch_that_the_checkpoint_does_not_know_was_at_its_default() -> None:
    assert model_changes(
        "model: {name: x}\n", full(model__name="x", reidar__model__attention_relu=False)
    ) == ["reidar.model.attention_relu: True, here False"]


def test_the_page_names_every_key_that_may_change() -> None:
    page = (REPO / "docs" / "training.md").read_text(encoding="utf-8")
    [listed] = re.findall(r"Keys that do not touch training may change:(.*?)With the", page, flags=re.DOTALL)
    here = set(re.findall(r"`([\w.]+?)(?:\.\*)?`", listed))
    assert here == {key.removeprefix("reidar.train.") for key in FREE} | {"reidar.train"}
