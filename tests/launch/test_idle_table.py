"""Every entry of the table of idle keys: where it speaks, where it does not, and that the docs show it as it is."""

import re
from typing import Any

import pytest

import reidar_plugin
from reidar_plugin.config.files import CheckedConfig, checked
from reidar_plugin.config.settings import keys_of
from reidar_plugin.host.defaults import toolbox_config
from reidar_plugin.launch.idle_keys import findings
from reidar_plugin.launch.idle_table import IDLE_KEYS
from reidar_plugin.losses.terms import TERMS
from tests.standin import REPO

OURS = {"loss.name": "reidar", "model.name": "reidar_osnet_x0_25", "data.type": "video"}
ASANET = {**OURS, "model.name": "asanet"}
HOST = {"loss.name": "softmax", "model.name": "osnet_x0_25", "data.type": "video"}
PICTURES = {**HOST, "data.type": "image", "data.sources": ["market1501"], "data.targets": ["cuhk03"]}
PEOPLE = ["smoothed_cross_entropy", "ranked_list"]
TERMS_KEY = "reidar.loss.terms"

#: (what is set, what has no effect of it, what gives it an effect), for every entry in the order of the table
CASES: list[tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = [
    (HOST, {"reidar.data.erase": 0.1}, OURS),
    (HOST, {"reidar.model.last_stride": 2}, {"model.name": "reidar_osnet_x0_25"}),
    (PICTURES, {"video.seq_len": 4}, {"data.type": "video"}),
    (OURS, {"loss.softmax.label_smooth": False}, HOST),
    (OURS, {"loss.triplet.margin": 0.5}, {"loss.name": "triplet"}),
    (HOST, {"loss.triplet.weight_x": 0.5}, {"loss.name": "triplet"}),
    (OURS, {"reidar.loss.triplet.margin": 0.5}, {TERMS_KEY: ["triplet"]}),
    (
        {**ASANET, TERMS_KEY: ["pose_motion"]},
        {"reidar.loss.pose_motion.rise_below": 0.5},
        {TERMS_KEY: ["attributes", "pose_motion"]},
    ),
    ({**OURS, TERMS_KEY: PEOPLE}, {"reidar.loss.balance": 0.7}, {TERMS_KEY: [*PEOPLE, "focal"]}),
    (
        {**OURS, "reidar.loss.combine": "sum"},
        {"reidar.loss.balance": 0.7},
        {"reidar.loss.combine": "ramp"},
    ),
    (OURS, {"reidar.loss.ramp.epochs": 2}, {"reidar.loss.combine": "ramp"}),
    (OURS, {"reidar.loss.uncertainty.lr": 0.1}, {"reidar.loss.combine": "uncertainty"}),
    ({**OURS, TERMS_KEY: PEOPLE[:1]}, {"reidar.loss.embedding": "pooled"}, {TERMS_KEY: PEOPLE}),
    ({**OURS, TERMS_KEY: PEOPLE}, {"reidar.train.identity_centre_lr": 0.1}, {TERMS_KEY: ["identity_centre"]}),
    (
        {**OURS, TERMS_KEY: PEOPLE},
        {"reidar.train.action_centre_lr": 0.2},
        {TERMS_KEY: ["discriminative_centroids"]},
    ),
    (OURS, {"train.stepsize": [5]}, {"reidar.train.schedule": "host"}),
    (
        {**OURS, "reidar.train.schedule": "host"},
        {"reidar.train.milestones": [5]},
        {"reidar.train.schedule": "paper"},
    ),
    ({**OURS, "reidar.train.warmup": 0}, {"reidar.train.warmup_start": 0.1}, {"reidar.train.warmup": 1}),
    ({**OURS, "reidar.train.milestones": []}, {"reidar.train.gamma": 0.5}, {"reidar.train.milestones": [3]}),
    ({**HOST, "train.lr_scheduler": "cosine"}, {"train.gamma": 0.5}, {"train.lr_scheduler": "multi_step"}),
    ({**HOST, "train.optim": "sgd"}, {"adam.beta1": 0.8}, {"train.optim": "radam"}),
    (HOST, {"sgd.momentum": 0.8}, {"train.optim": "rmsprop"}),
    ({**HOST, "train.optim": "rmsprop"}, {"sgd.nesterov": True}, {"train.optim": "sgd"}),
    (HOST, {"rmsprop.alpha": 0.8}, {"train.optim": "rmsprop"}),
    (HOST, {"train.base_lr_mult": 0.5}, {"train.staged_lr": True}),
    (HOST, {"train.open_layers": ["fc"]}, {"train.fixbase_epoch": 1}),
    (OURS, {"data.transforms": []}, HOST),
    (OURS, {"video.sample_method": "random"}, HOST),
    (OURS, {"video.pooling_method": "max"}, HOST),
    ({**HOST, "loss.name": "triplet"}, {"video.pooling_method": "max"}, HOST),
    (HOST, {"data.k_tfm": 2}, PICTURES),
    (PICTURES, {"sampler.train_sampler_t": "SequentialSampler"}, {"data.load_train_targets": True}),
    (HOST, {"market1501.use_500k_distractors": True}, PICTURES),
    (HOST, {"cuhk03.classic_split": True}, PICTURES),
    (HOST, {"sampler.num_instances": 2}, {"sampler.train_sampler": "RandomIdentitySampler"}),
    (HOST, {"sampler.num_cams": 2}, {"sampler.train_sampler": "RandomDomainSampler"}),
    (HOST, {"sampler.num_datasets": 2}, {"sampler.train_sampler": "RandomDatasetSampler"}),
    (OURS, {"reidar.data.balance_power": 1.0}, {"sampler.train_sampler": "balanced_identity"}),
    ({**OURS, "reidar.data.shift": "none"}, {"reidar.data.pad": 3}, {"reidar.data.shift": "translation"}),
    ({**OURS, "reidar.data.erase": 0.0}, {"reidar.data.erase_passes": 2}, {"reidar.data.erase": 0.1}),
    ({**OURS, "data.workers": 0}, {"reidar.data.start_method": "spawn"}, {"data.workers": 1}),
    (OURS, {"reidar.labels.attributes": ["hat"]}, ASANET),
    (ASANET, {"reidar.model.attention_width": 8}, OURS),
    (OURS, {"reidar.model.asanet.fusion": "a"}, ASANET),
    (
        {**ASANET, "reidar.model.asanet.salience": False},
        {"reidar.model.asanet.mask": "sigmoid"},
        {"reidar.model.asanet.salience": True},
    ),
    (
        {**OURS, "reidar.model.pooling": "gem"},
        {"reidar.model.attention_relu": False},
        {"reidar.model.pooling": "light"},
    ),
    (
        {**OURS, "reidar.model.num_actions": 0},
        {"reidar.model.action_width": 8},
        {"reidar.model.num_actions": -1},
    ),
    (OURS, {"reidar.model.action_layers": [8]}, {"reidar.model.action_source": "conv3"}),
    ({**OURS, "model.pretrained": False}, {"reidar.model.weights": "file"}, {"model.pretrained": True}),
    ({**OURS, "model.pretrained": True}, {"reidar.model.sha256": "12"}, {"reidar.model.weights": "file"}),
    ({**HOST, "model.resume": "file"}, {"model.load_weights": "other"}, {"model.resume": ""}),
    (OURS, {"cuhk03.use_metric_cuhk03": True}, HOST),
    (HOST, {"test.start_eval": 3}, {"test.eval_freq": 1}),
    (OURS, {"reidar.test.rerank.k1": 3}, {"test.rerank": True}),
    (HOST, {"test.visrank_topk": 3}, {"test.visrank": True}),
]


def config(*settings: dict[str, Any]) -> CheckedConfig:
    """A config of a program: all that differs from the default counts as set at once."""
    cfg = checked(reidar_plugin.add_reidar_config(toolbox_config()))
    for setting in settings:
        for key, value in setting.items():
            *groups, name = key.split(".")
            node: Any = cfg
            for group in groups:
                node = node[group]
            node[name] = value
    return cfg


def test_every_entry_has_its_case() -> None:
    assert len(CASES) == len(IDLE_KEYS)


@pytest.mark.parametrize(
    "number", range(len(CASES)), ids=lambda number: f"{number}-{next(iter(CASES[number][1]))}"
)
def test_entry(number: int) -> None:
    setting, idle, awake = CASES[number]
    [key] = idle
    found = [each for each in findings(config(setting, idle)) if each.key == key]
    assert [each.rule for each in found] == [IDLE_KEYS[number]]
    assert found[0].severity == IDLE_KEYS[number].severity
    assert [each.key for each in findings(config(setting, awake, idle)) if each.key == key] == []


@pytest.mark.parametrize("term", sorted(TERMS))
def test_every_loss_term_is_known(term: str) -> None:
    """Its weight and its options are idle without it, and only then."""
    every = config(OURS, {TERMS_KEY: sorted(TERMS)})
    options = [f"reidar.loss.{term}.{name}" for name in every.reidar.loss.get(term, {})]
    for key in (f"reidar.loss.weights.{term}", *options):
        without = config(ASANET, {TERMS_KEY: [name for name in sorted(TERMS) if name != term]}, {key: "set"})
        assert key in [each.key for each in findings(without)], key
        assert key not in [
            each.key for each in findings(config(ASANET, {TERMS_KEY: sorted(TERMS)}, {key: "set"}))
        ], key


def test_every_name_in_the_table_is_a_key() -> None:
    """Of patterns, conditions and advice: no key may be renamed and leave its entry behind."""
    known = set(keys_of(config()))
    for rule in IDLE_KEYS:
        assert any(rule.match(key) is not None for key in known), rule.keys
        assert set(rule.where.decided_by) <= known, rule.where
        named = re.findall(r"\b[a-z0-9]+(?:\.[a-z_0-9]+)+", f"{rule.where.text} {rule.instead}")
        assert set(named) <= known, rule


def rows() -> str:
    """The table as ``docs/configuration.md`` shows it."""
    lines = ["| keys | have no effect where | what to do | |", "|---|---|---|---|"]
    for rule in IDLE_KEYS:
        keys = ", ".join(f"`{pattern}`" for pattern in rule.keys.split())
        words = [re.sub(r"<\w+>", r"`\g<0>`", text) for text in (rule.where.text, rule.instead)]  # else html
        lines.append(f"| {keys} | {' | '.join(words)} | {rule.severity} |")
    return "\n".join(lines)


def test_the_docs_show_the_table() -> None:
    page = (REPO / "docs/configuration.md").read_text(encoding="utf-8")
    shown = page.partition("<!-- idle keys: begin -->\n")[2].partition("\n<!-- idle keys: end -->")[0]
    assert shown == rows(), f"docs/configuration.md must have these rows:\n{rows()}"
