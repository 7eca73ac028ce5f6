"""Every config that is shipped: it loads, says what its row says, and trains a step at a tiny size."""

import csv
import re
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import torch
from yacs.config import CfgNode

from reidar_plugin.config import add_reidar_config
from reidar_plugin.config.files import checked
from reidar_plugin.config.settings import keys_of
from reidar_plugin.data.manager import ClipDataManager
from reidar_plugin.engine.joint import JointEngine
from reidar_plugin.host import defaults, reid
from reidar_plugin.host.defaults import toolbox_config
from reidar_plugin.launch.validation import check_config
from reidar_plugin.models.registry import timm_name
from reidar_plugin.plugin import registration
from tests import fakes

CONFIGS = Path(__file__).resolve().parents[1] / "configs"
NAMES = sorted(path.relative_to(CONFIGS).as_posix() for path in CONFIGS.rglob("*.yaml"))


def config(name: str) -> CfgNode:
    """A config as a launch script merges it."""
    cfg = checked(add_reidar_config(toolbox_config()))
    cfg.use_gpu = False
    cfg.merge_from_file(str(CONFIGS / name))
    return cfg


def _need_timm(cfg: CfgNode) -> None:
    if timm_name(cfg.model.name):
        pytest.importorskip("timm")


def rows(folder: str, table: str) -> set[str]:
    """Names of a table's configs, without table and ending."""
    return {path.stem.removeprefix(table) for path in (CONFIGS / folder).glob(f"{table}*.yaml")}


def test_every_row_of_the_tables_has_a_config() -> None:
    losses = ("bce", "wbce", "bce-centre", "wbce-centre")
    assert rows("re-id-ar", "table4-") == {f"{n}-{loss}" for n, loss in product((8, 5, 3), losses)}
    assert rows("re-id-ar", "table5-") == {f"{n}-{loss}" for n, loss in product((8, 3), losses)}
    for table in ("table6-", "table7-"):
        assert rows("re-id-ar", table) == {f"lambda-{share}" for share in (0.8, 0.5, 0.4, 0.2)}
    for table, ends in {"table1": ["resnet50"], "table3": ["8-frames"], "table4": ["6x6", "6x8"]}.items():
        expected = {f"{d}-{end}" for d, end in product(("mars", "ilidsvid", "prid2011"), ends)}
        assert rows("s2dn", f"{table}-") == expected
    assert rows("vprft", "table1-") == {"baseline", "bag-of-tricks", "osm", "osm-cl-centres"}
    assert rows("asanet", "table4-") == {"id", "re", "ir", "id-re", "id-ir", "re-ir", "id-re-ir"}
    ablation = {f + asre + pmi for f, asre, pmi in product("ab", ("", "-asre"), ("", "-pmi"))}
    assert rows("asanet", "table5-") == ablation
    assert rows("asanet", "table6-") == {"a", "a-pmi", "b", "b-pmi"}
    assert rows("imbalance", "") == {
        "discriminative-centroids",
        "class-balanced",
        "balanced-sampler",
        "wbce-centre",
    }
    assert rows("ap3d", "") == {"mars", "mars-nl", "mars-actions", "synthped"}
    assert rows("timm", "") == {"mars-clip-vit-b16", "synthped"}
    assert rows("tclnet", "") == {"mars", "mars-actions", "synthped"}
    for folder in ("tea", "vtn"):
        assert rows(folder, "") == {"mars", "mars-actions", "synthped"}
    for folder in ("s2dn", "vprft", "asanet"):
        assert "synthped" in rows(folder, "")


@pytest.mark.parametrize("name", NAMES)
def test_loads_and_is_accepted(name: str) -> None:
    text = (CONFIGS / name).read_text(encoding="utf-8")
    assert text.startswith("# ")
    assert f"configs/{name} --root" in text  # its own launch line
    cfg = config(name)
    _need_timm(cfg)
    assert check_config(cfg) == []  # no key without effect, not even a note
    assert cfg.loss.name == "reidar"


def test_no_two_runs_share_a_folder() -> None:
    folders = [config(name).data.save_dir for name in NAMES]
    assert len(set(folders)) == len(NAMES)


@pytest.mark.parametrize(("table", "source"), [("table4", "mars_actions"), ("table5", "lpw_actions")])
def test_rows_of_re_id_ar_say_what_their_names_say(table: str, source: str) -> None:
    for row in rows("re-id-ar", f"{table}-"):
        cfg = config(f"re-id-ar/{table}-{row}.yaml")
        actions, loss = row.split("-", maxsplit=1)
        assert cfg.data.sources == cfg.data.targets == [source]
        assert cfg.reidar.labels.space == f"actions{actions}"
        judged = ["binary_cross_entropy" if loss.startswith("bce") else "weighted_binary_cross_entropy"]
        judged += ["action_centre"] if loss.endswith("centre") else []
        assert cfg.reidar.loss.terms[4:] == judged
    for share in (0.8, 0.5, 0.4, 0.2):
        cfg = config(f"re-id-ar/{'table6' if table == 'table4' else 'table7'}-lambda-{share}.yaml")
        assert (cfg.reidar.loss.balance, cfg.data.sources) == (share, [source])
        assert cfg.reidar.loss.terms[4:] == ["weighted_binary_cross_entropy", "action_centre"]
        assert cfg.reidar.labels.space == "actions8"


@pytest.mark.parametrize("source", ["mars", "ilidsvid", "prid2011"])
def test_rows_of_s2dn_say_what_their_names_say(source: str) -> None:
    """Each differs from the cell that all tables share in what its name says, and in nothing else."""
    changed = {
        "table1-{}-resnet50": {"model.name": "reidar_resnet50"},
        "table3-{}-8-frames": {"video.seq_len": 8},
        "table4-{}-6x6": {"sampler.num_instances": 6, "train.batch_size": 36},
        "table4-{}-6x8": {"sampler.num_instances": 8, "train.batch_size": 48},
    }
    usual = config(f"s2dn/{source}.yaml")
    assert usual.data.sources == usual.data.targets == [source]
    for name, values in changed.items():
        row = config(f"s2dn/{name.format(source)}.yaml")
        values_of = {key: (value_of(row, key), value_of(usual, key)) for key in keys_of(row)}
        other = {
            key: ours
            for key, (ours, theirs) in values_of.items()
            if ours != theirs and not isinstance(ours, CfgNode)
        }
        assert other.pop("data.save_dir") == f"log/s2dn/{name.format(source)}"
        assert other == values


@pytest.mark.parametrize("table", ["table1", "table4", "table5", "table6", "table7"])
def test_rows_of_asanet_say_what_their_names_say(table: str) -> None:
    plain = ["smoothed_cross_entropy", "weighted_regularisation", "identity_centre"]
    names = {"id": "identity", "re": "relevant", "ir": "irrelevant"}
    for row in rows("asanet", f"{table}-"):
        words, cfg = row.split("-"), config(f"asanet/{table}-{row}.yaml")
        model, terms = cfg.reidar.model.asanet, cfg.reidar.loss.terms
        if table == "table4":  # all with ASRE and PMI, without attribute features
            assert (model.fusion, model.salience) == ("none", True)
            assert model.branches == [names[word] for word in words]
            assert terms == [*plain, "attributes", "pose_motion"]
            continue
        assert model.fusion == words[0]
        assert model.branches == ["relevant", "identity", "irrelevant"]
        assert model.salience == (table != "table5" or "asre" in words)
        judged = ["attributes"] * ("bce" not in words) + ["pose_motion"] * ("pmi" in words)
        assert terms == [*plain, *judged]
        data = "dukemtmcvidreid_actions" if table == "table6" else "mars_actions"
        assert cfg.data.sources == cfg.data.targets == [data]


#: what the papers and the released code print, by config
PUBLISHED: dict[str, dict[str, Any]] = {
    "re-id-ar/base.yaml": {  # sections 3.3, 3.4 and 5.1
        "model.name": "reidar_resnet50_ibn_a",
        "data.height": 224,
        "data.width": 112,
        "video.seq_len": 4,
        "sampler.num_instances": 4,
        "train.optim": "adam",
        "train.lr": 0.00035,
        "train.weight_decay": 0.0005,
        "train.max_epoch": 120,
        "train.batch_size": 64,
        "test.eval_freq": 10,
        "reidar.labels.space": "actions8",
        "reidar.model.pooling": "attention",
        "reidar.model.attention_width": 256,
        "reidar.model.last_stride": 1,
        "reidar.model.action_width": 512,
        "reidar.loss.balance": 0.5,
        "reidar.loss.embedding": "feature",
        "reidar.loss.weights.identity_centre": 0.0005,
        "reidar.loss.weights.action_centre": 0.0005,
        "reidar.loss.smoothed_cross_entropy.epsilon": 0.1,
        "reidar.loss.ranked_list.margin": 1.3,
        "reidar.loss.ranked_list.alpha": 2.0,
        "reidar.train.warmup": 10,
        "reidar.train.milestones": [40, 70],
        "reidar.train.gamma": 0.1,
        "reidar.train.identity_centre_lr": 0.5,
        "reidar.train.action_centre_lr": 0.1,
    },
    "s2dn/mars.yaml": {  # sections III-B and IV-B
        "model.name": "reidar_resnet50_ibn_a",
        "video.seq_len": 4,
        "sampler.num_instances": 4,
        "train.batch_size": 8 * 4,
        "train.lr": 0.00035,
        "train.max_epoch": 120,
        "test.eval_freq": 10,
        "reidar.model.num_actions": 0,
        "reidar.loss.terms": ["smoothed_cross_entropy", "ranked_list", "identity_centre", "erasing"],
        "reidar.loss.weights.identity_centre": 0.00005,
        "reidar.loss.smoothed_cross_entropy.epsilon": 0.1,
        "reidar.loss.ranked_list.margin": 1.3,
        "reidar.loss.ranked_list.alpha": 2.0,
        "reidar.train.warmup": 10,
        "reidar.train.warmup_start": 0.0,
        "reidar.train.milestones": [40, 70],
        "reidar.train.gamma": 0.1,
    },
    "s2dn/ilidsvid.yaml": {"reidar.loss.ranked_list.margin": 1.3},
    "s2dn/prid2011.yaml": {"reidar.loss.ranked_list.margin": 0.04},
    "vprft/mars.yaml": {  # configuration 59
        "model.name": "reidar_resnet50",
        "data.height": 224,
        "data.width": 112,
        "train.lr": 0.00035,
        "train.weight_decay": 0.0005,
        "train.batch_size": 8 * 4,
        "sampler.num_instances": 4,
        "test.rerank": True,
        "reidar.test.rerank.k1": 20,
        "reidar.test.rerank.k2": 6,
        "reidar.test.rerank.lambda_value": 0.3,
        "reidar.data.erase_passes": 2,
        "reidar.loss.weights.triplet": 0.0,
        "reidar.loss.weights.soft_mining": 1.0,
        "reidar.loss.weights.identity_centre": 0.0005,
        "reidar.loss.triplet.metric": "cosine",
        "reidar.loss.triplet.margin": 4.4132437486402204e-05,
        "reidar.loss.soft_mining.sigma": 0.9047814732165316,
        "reidar.loss.soft_mining.alpha": 2.8436551583293728,
        "reidar.loss.soft_mining.balance": 0.5873389293193368,
        "reidar.loss.soft_mining.vectors": "centres",
        "reidar.train.warmup": 10,
        "reidar.train.warmup_start": 0.01,
        "reidar.train.milestones": [40, 70],
        "reidar.train.gamma": 0.3282654557691594,
        "reidar.train.identity_centre_lr": 0.5,
    },
    "vprft/prid2011.yaml": {  # configuration 24
        "train.weight_decay": 0.644719,
        "reidar.loss.weights.soft_mining": 0.8862757463439133,
        "reidar.loss.triplet.margin": 1.35e-6,
        "reidar.loss.soft_mining.sigma": 0.4622171143768694,
        "reidar.loss.soft_mining.alpha": 2.7631882021974343,
        "reidar.loss.soft_mining.balance": 0.622850157549934,
        "reidar.train.gamma": 0.0863284,
    },
    "vprft/prid2011-config27.yaml": {
        "train.weight_decay": 0.57807,
        "reidar.loss.weights.soft_mining": 0.0,
        "reidar.loss.soft_mining.sigma": 0.4589,
        "reidar.loss.soft_mining.alpha": 2.4694,
        "reidar.loss.soft_mining.balance": 0.6223,
        "reidar.train.gamma": 0.07947,
    },
    "vprft/prid2011-defaults.yaml": {
        "train.weight_decay": 0.014055481861393148,
        "reidar.loss.weights.soft_mining": 0.7103921571238655,
        "reidar.loss.triplet.margin": 0.040520629258433416,
        "reidar.loss.soft_mining.sigma": 0.8769823511927456,
        "reidar.loss.soft_mining.alpha": 1.5747007053351507,
        "reidar.loss.soft_mining.balance": 0.5241677630566622,
        "reidar.train.gamma": 0.368667605025003,
    },
    "imbalance/class-balanced.yaml": {  # official code, as the others below
        "reidar.loss.class_balanced.beta": 0.9999,
        "reidar.loss.class_balanced.gamma": 2.0,
        "reidar.loss.focal.alpha": 0.25,
        "reidar.loss.focal.gamma": 2.0,
        "reidar.loss.asymmetric.gamma_positive": 0.0,
        "reidar.loss.asymmetric.gamma_negative": 4.0,
        "reidar.loss.asymmetric.clip": 0.05,
        "reidar.loss.distribution_balanced.floor": 0.1,
        "reidar.loss.distribution_balanced.slope": 10.0,
        "reidar.loss.distribution_balanced.middle": 0.2,
        "reidar.loss.distribution_balanced.bias": 0.05,
        "reidar.loss.distribution_balanced.tolerance": 2.0,
        "reidar.loss.logit_adjustment.tau": 1.0,
    },
    "imbalance/discriminative-centroids.yaml": {
        "reidar.loss.weights.discriminative_centroids": 0.01,
        "reidar.loss.discriminative_centroids.margin": 10.0,
        "reidar.loss.discriminative_centroids.repel_weight": 0.01,
    },
    "ap3d/mars.yaml": {  # arguments of its public code
        "model.name": "reidar_ap3d_resnet50",
        "data.height": 256,
        "data.width": 128,
        "video.seq_len": 4,
        "sampler.num_instances": 4,
        "train.batch_size": 32,
        "train.lr": 0.0003,
        "train.weight_decay": 0.0005,
        "train.max_epoch": 240,
        "test.dist_metric": "cosine",
        "reidar.data.train_clips": "strided",
        "reidar.data.test_length": 32,
        "reidar.data.shift": "none",
        "reidar.data.erase": 0.0,
        "reidar.model.pooling": "peak",
        "reidar.loss.terms": ["smoothed_cross_entropy", "triplet"],
        "reidar.loss.smoothed_cross_entropy.epsilon": 0.0,
        "reidar.loss.triplet.metric": "cosine",
        "reidar.loss.triplet.margin": 0.3,
        "reidar.loss.embedding": "feature",
        "reidar.train.warmup": 0,
        "reidar.train.milestones": [61, 121, 181],
        "reidar.train.gamma": 0.1,
    },
    "tclnet/mars.yaml": {  # arguments of its public code, and what it shares with AP3D's
        "model.name": "reidar_tclnet_resnet50",
        "video.seq_len": 4,
        "train.batch_size": 32,
        "train.lr": 0.0003,
        "train.weight_decay": 0.0005,
        "train.max_epoch": 150,
        "test.dist_metric": "cosine",
        "reidar.data.train_clips": "strided",
        "reidar.data.test_length": 4,
        "reidar.model.pooling": "peak",
        "reidar.loss.terms": ["smoothed_cross_entropy", "triplet"],
        "reidar.loss.triplet.metric": "cosine",
        "reidar.loss.triplet.margin": 0.4,
        "reidar.train.milestones": [41, 81, 121],
        "reidar.train.gamma": 0.1,
    },
    "timm/mars-clip-vit-b16.yaml": {  # configs/vit_clipreid.yml of TF-CLIP's public code, its defaults and its data loader
        "model.name": "reidar_timm_vit_base_patch16_clip_224.openai",
        "data.height": 256,
        "data.width": 128,
        "video.seq_len": 8,
        "sampler.num_instances": 4,
        "train.batch_size": 16,
        "train.optim": "adam",
        "train.lr": 0.000005,
        "train.weight_decay": 0.0001,
        "train.max_epoch": 80,
        "reidar.data.flip": 0.5,
        "reidar.data.test_clips": "first_of_parts",
        "reidar.loss.embedding": "pooled",
        "reidar.loss.weights.smoothed_cross_entropy": 0.25,
        "reidar.loss.weights.triplet": 1.0,
        "reidar.loss.smoothed_cross_entropy.epsilon": 0.1,
        "reidar.loss.triplet.margin": 0.3,
        "reidar.train.warmup": 11,  # 0.1 + 0.09 x the epoch, counted from 0
        "reidar.train.warmup_start": 0.01,
        "reidar.train.milestones": [31, 51, 71],
        "reidar.train.gamma": 0.1,
    },
    "tea/mars.yaml": {  # its public code's script for Something-Something, 8 frames
        "model.name": "reidar_tea_res2net50",
        "video.seq_len": 8,
        "train.optim": "sgd",
        "train.batch_size": 64,
        "train.lr": 0.02,
        "train.weight_decay": 0.0005,
        "train.max_epoch": 50,
        "reidar.data.train_clips": "parts",
        "reidar.model.pooling": "mean",
        "reidar.train.milestones": [31, 41, 46],
        "reidar.train.gamma": 0.1,
    },
    "vtn/mars.yaml": {  # its public code's config for Kinetics
        "data.norm_mean": [0.45, 0.45, 0.45],
        "data.norm_std": [0.225, 0.225, 0.225],
        "model.name": "reidar_vtn_vit_b16",
        "video.seq_len": 16,
        "train.optim": "sgd",
        "train.batch_size": 16,
        "train.lr": 0.001,
        "train.weight_decay": 0.0001,
        "train.max_epoch": 25,
        "reidar.data.train_clips": "strided",
        "reidar.train.milestones": [14, 25],
        "reidar.train.gamma": 0.1,
    },
    "asanet/base.yaml": {  # section IV-B, equations 9, 11 and 14
        "reidar.model.asanet.fusion": "b",
        "reidar.model.asanet.mask": "linear",
        "reidar.loss.pose_motion.include_anchor": False,
        "reidar.loss.weighted_regularisation.include_anchor": False,
        "reidar.model.asanet.backbone": "resnet50",
        "data.height": 256,
        "data.width": 128,
        "video.seq_len": 6,
        "sampler.num_instances": 4,
        "train.batch_size": 8 * 4,
        "train.optim": "adam",
        "train.lr": 0.0003,
        "train.weight_decay": 0.0005,
        "train.max_epoch": 700,
        "reidar.data.train_clips": "constrained",
        "reidar.loss.embedding": "pooled",
        "reidar.loss.weights.identity_centre": 0.0005,
        "reidar.loss.weights.attributes": 1.5,
        "reidar.loss.weights.pose_motion": 0.005,
        "reidar.loss.pose_motion.end_weight": 0.01,
        "reidar.loss.pose_motion.rise_below": 0.15,
        "reidar.loss.pose_motion.margin": 0.0,
        "reidar.train.milestones": [100, 250, 350],
        "reidar.train.gamma": 0.1,
        "reidar.train.identity_centre_lr": 0.5,
    },
}


def value_of(cfg: CfgNode, key: str) -> Any:
    for name in key.split("."):
        cfg = cfg[name]
    return cfg


@pytest.mark.parametrize("name", PUBLISHED)
def test_values_are_the_published_ones(name: str) -> None:
    cfg = config(name)
    assert {key: value_of(cfg, key) for key in PUBLISHED[name]} == PUBLISHED[name]


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("vprft/")])
def test_triplet_and_soft_mining_share_a_weight_of_one(name: str) -> None:
    cfg = config(name).reidar.loss
    if {"triplet", "soft_mining"} <= set(cfg.terms):
        assert cfg.weights.triplet + cfg.weights.soft_mining == 1.0


def test_released_differs_from_the_paper_in_every_slip() -> None:
    paper, released = config("re-id-ar/base.yaml").reidar, config("re-id-ar/released/base.yaml").reidar
    slips = {
        "data.train_clips": "released_parts",
        "data.test_max_clips": 41,
        "data.erase_attempts": 1,
        "model.action_activation": "leaky_relu",
        "loss.combine": "sum",
        "loss.smoothed_cross_entropy.spread": "batch",
        "loss.ranked_list.positives": "all",
        "loss.erasing.form": "scores",
        "loss.weighted_binary_cross_entropy.ratios": "reciprocal",
        "loss.weighted_binary_cross_entropy.double_sigmoid": True,
        "loss.action_centre.form": "summed",
        "train.action_centre_lr": 0.0,
    }
    for key, value in slips.items():
        assert value_of(released, key) == value != value_of(paper, key), key


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All data sets of the configs, a few pictures each."""
    root = tmp_path_factory.mktemp("data")
    home = fakes.write_mars(root, train_people=2, test_people=2, frames=[2, 7])
    looks(home / "attributes.csv", "asanet/base.yaml", home / "info/train_name.txt")
    fakes.write_lpw(root, people=(2, 1, 1))
    fakes.write_ilidsvid(root)
    fakes.write_prid2011(root)
    fakes.write_dukemtmcvidreid(root)
    frames = root / "duke.txt"
    frames.write_text("\n".join(f"{p:04d}C{c}T{c:04d}F1.jpg" for p, c in product((1, 2), (1, 2))))
    looks(root / "dukemtmcvidreid-attributes.csv", "asanet/duke.yaml", frames)
    return root


def looks(path: Path, name: str, frames: Path) -> None:
    """A table with the attributes that a config asks for, of the tracklets of some frames."""
    groups = [entry.partition("=")[0] for entry in config(name).reidar.labels.attributes]
    keys = sorted({line.partition("F")[0] for line in frames.read_text().splitlines()})
    with open(path, "w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["person-id", "camera", "tracklet", *groups])
        for number, key in enumerate(keys):
            row = [int(key[:4]), int(key[5]), int(key[7:])]
            table.writerow([*row, *((number + column) % 2 for column in range(len(groups)))])


def tiny(cfg: CfgNode, root: Path, save_dir: Path) -> CfgNode:
    """The same run on small pictures, two people a batch and a small network."""
    if cfg.data.sources == ["synthped"]:  # drawn in its own tests
        cfg.data.sources = cfg.data.targets = ["mars_actions"]
    video = re.match(r"reidar_(ap3d_nl|ap3d|tclnet|tea|vtn)_", cfg.model.name)
    if video:
        cfg.model.name = video[0] + ("res2net26" if video[1] == "tea" else "resnet18")
    elif timm_name(cfg.model.name):
        cfg.model.name = "reidar_timm_test_vit"
    elif cfg.model.name != "asanet":
        cfg.model.name = "reidar_shufflenet_v2_x0_5"
        # a ResNet's stage by the name that it has in the small network
        cfg.reidar.model.action_source = cfg.reidar.model.action_source.replace("layer", "stage")
    options = {
        "model.pretrained": False,
        "data.root": str(root),
        "data.height": 64 if "_nl_" in cfg.model.name else 32,  # its maps are pooled once more
        "data.width": 32 if "_nl_" in cfg.model.name else 16,
        "data.workers": 0,
        "data.save_dir": str(save_dir),
        "sampler.num_instances": 2,
        "train.batch_size": 2 * 2,
        "reidar.model.asanet.backbone": "resnet18",
        "reidar.model.attention_width": 8,
        "reidar.model.action_width": 8,
    }
    cfg.merge_from_list([part for item in options.items() for part in item])
    return cfg


@pytest.mark.slow
@pytest.mark.usefixtures("quick_weights")
@pytest.mark.parametrize("name", NAMES)
def test_trains_a_step(name: str, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root)  # where the table of Duke's attributes is
    cfg = config(name)
    _need_timm(cfg)
    registration.enable(cfg, quiet=True)
    check_config(cfg)
    cfg = tiny(cfg, root, tmp_path)
    registration.enable(cfg)
    data = ClipDataManager.from_config(cfg)
    model = reid.models.build_model(cfg.model.name, data.num_train_pids, loss=cfg.loss.name, pretrained=False)
    optimizer = reid.optim.build_optimizer(model, **defaults.optimizer_arguments(cfg))
    scheduler = reid.optim.build_lr_scheduler(optimizer, **defaults.scheduler_arguments(cfg))
    engine = JointEngine.from_config(cfg, data, model, optimizer, scheduler)
    engine.set_model_mode("train")
    engine.epoch = 0
    before = model.classifier.weight.detach().clone()
    values = engine.forward_backward(next(iter(data.train_loader)))
    assert set(cfg.reidar.loss.terms) <= set(values)
    assert all(value.isfinite() for value in values.values()), values
    assert not torch.equal(model.classifier.weight, before)
    model.eval()
    with torch.no_grad():
        output = model(torch.zeros(1, cfg.video.seq_len, 3, cfg.data.height, cfg.data.width))
    assert (output.action_logits is not None) == (cfg.reidar.model.num_actions != 0)


@pytest.mark.parametrize("page", ["deviations.md", "systems.md"])
def test_pages_name_keys_and_files_that_exist(page: str) -> None:
    text = (CONFIGS.parent / "docs" / page).read_text(encoding="utf-8")
    known = set(keys_of(add_reidar_config(toolbox_config())))
    named = set(re.findall(r"\breidar(?:\.[a-z_0-9]+)+", text))
    assert len(named) > 4
    assert named <= known, named - known
    places = set(re.findall(r"\b(?:configs|tools|tests)/[\w./*-]+", text))
    assert len(places) > 5
    assert [place for place in places if not list(CONFIGS.parent.glob(place.rstrip(".")))] == []


def test_all_32_differences_are_told() -> None:
    text = (CONFIGS.parent / "docs/deviations.md").read_text(encoding="utf-8")
    rows = [line.split(" | ") for line in text.splitlines() if re.match(r"\| \d+ \|", line)]
    assert [int(row[0].strip("| ")) for row in rows] == list(range(1, 33))
    assert {len(row) for row in rows} == {7}  # what, paper, released code, here, option, effect
