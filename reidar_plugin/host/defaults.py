"""The host's own config, for the PyPI package of torchreid, which ships neither ``default_config.py`` nor a script.

The keys, their defaults and the arguments they become are the toolbox's (``scripts/default_config.py``, 1.4.0); a test
holds them against a clone where there is one.
"""

import copy
from typing import Any

from yacs.config import CfgNode

__all__ = [
    "engine_arguments",
    "image_data_arguments",
    "optimizer_arguments",
    "scheduler_arguments",
    "toolbox_config",
    "video_data_arguments",
]

_DEFAULTS: dict[str, Any] = {
    "model": {"name": "resnet50", "pretrained": True, "load_weights": "", "resume": ""},
    "data": {
        "type": "image",
        "root": "reid-data",
        "sources": ["market1501"],
        "targets": ["market1501"],
        "workers": 4,
        "split_id": 0,
        "height": 256,
        "width": 128,
        "combineall": False,
        "transforms": ["random_flip"],
        "k_tfm": 1,
        "norm_mean": [0.485, 0.456, 0.406],
        "norm_std": [0.229, 0.224, 0.225],
        "save_dir": "log",
        "load_train_targets": False,
    },
    "market1501": {"use_500k_distractors": False},
    "cuhk03": {"labeled_images": False, "classic_split": False, "use_metric_cuhk03": False},
    "sampler": {
        "train_sampler": "RandomSampler",
        "train_sampler_t": "RandomSampler",
        "num_instances": 4,
        "num_cams": 1,
        "num_datasets": 1,
    },
    "video": {"seq_len": 15, "sample_method": "evenly", "pooling_method": "avg"},
    "train": {
        "optim": "adam",
        "lr": 0.0003,
        "weight_decay": 5e-4,
        "max_epoch": 60,
        "start_epoch": 0,
        "batch_size": 32,
        "fixbase_epoch": 0,
        "open_layers": ["classifier"],
        "staged_lr": False,
        "new_layers": ["classifier"],
        "base_lr_mult": 0.1,
        "lr_scheduler": "single_step",
        "stepsize": [20],
        "gamma": 0.1,
        "print_freq": 20,
        "seed": 1,
    },
    "sgd": {"momentum": 0.9, "dampening": 0.0, "nesterov": False},
    "rmsprop": {"alpha": 0.99},
    "adam": {"beta1": 0.9, "beta2": 0.999},
    "loss": {
        "name": "softmax",
        "softmax": {"label_smooth": True},
        "triplet": {"margin": 0.3, "weight_t": 1.0, "weight_x": 0.0},
    },
    "test": {
        "batch_size": 100,
        "dist_metric": "euclidean",
        "normalize_feature": False,
        "ranks": [1, 5, 10, 20],
        "evaluate": False,
        "eval_freq": -1,
        "start_eval": 0,
        "rerank": False,
        "visrank": False,
        "visrank_topk": 10,
    },
}


def toolbox_config() -> CfgNode:
    """A fresh config with the toolbox's keys and defaults, without the ``reidar`` node."""
    return CfgNode(copy.deepcopy(_DEFAULTS))


def _data_arguments(cfg: CfgNode) -> dict[str, Any]:
    data, sampler = cfg.data, cfg.sampler
    same_name = ("root", "sources", "targets", "height", "width", "transforms", "norm_mean", "norm_std")
    return {
        **{name: data[name] for name in same_name},
        "use_gpu": cfg.use_gpu,
        "split_id": data.split_id,
        "combineall": data.combineall,
        "batch_size_train": cfg.train.batch_size,
        "batch_size_test": cfg.test.batch_size,
        "workers": data.workers,
        "num_instances": sampler.num_instances,
        "num_cams": sampler.num_cams,
        "num_datasets": sampler.num_datasets,
        "train_sampler": sampler.train_sampler,
    }


def image_data_arguments(cfg: CfgNode) -> dict[str, Any]:
    """Arguments of the host's ``ImageDataManager``."""
    return {
        **_data_arguments(cfg),
        "k_tfm": cfg.data.k_tfm,
        "load_train_targets": cfg.data.load_train_targets,
        "train_sampler_t": cfg.sampler.train_sampler_t,
        "cuhk03_labeled": cfg.cuhk03.labeled_images,
        "cuhk03_classic_split": cfg.cuhk03.classic_split,
        "market1501_500k": cfg.market1501.use_500k_distractors,
    }


def video_data_arguments(cfg: CfgNode) -> dict[str, Any]:
    """Arguments of the host's ``VideoDataManager``."""
    return {**_data_arguments(cfg), "seq_len": cfg.video.seq_len, "sample_method": cfg.video.sample_method}


def optimizer_arguments(cfg: CfgNode) -> dict[str, Any]:
    """Arguments of the host's ``build_optimizer`` after the model."""
    return {
        "optim": cfg.train.optim,
        "lr": cfg.train.lr,
        "weight_decay": cfg.train.weight_decay,
        "momentum": cfg.sgd.momentum,
        "sgd_dampening": cfg.sgd.dampening,
        "sgd_nesterov": cfg.sgd.nesterov,
        "rmsprop_alpha": cfg.rmsprop.alpha,
        "adam_beta1": cfg.adam.beta1,
        "adam_beta2": cfg.adam.beta2,
        "staged_lr": cfg.train.staged_lr,
        "new_layers": cfg.train.new_layers,
        "base_lr_mult": cfg.train.base_lr_mult,
    }


def scheduler_arguments(cfg: CfgNode) -> dict[str, Any]:
    """Arguments of the host's ``build_lr_scheduler`` after the optimiser."""
    train = cfg.train
    return {
        "lr_scheduler": train.lr_scheduler,
        "stepsize": train.stepsize,
        "gamma": train.gamma,
        "max_epoch": train.max_epoch,
    }


def engine_arguments(cfg: CfgNode) -> dict[str, Any]:
    """Arguments of the host's ``Engine.run``."""
    train, test = cfg.train, cfg.test
    same_name = (
        "dist_metric",
        "normalize_feature",
        "visrank",
        "visrank_topk",
        "ranks",
        "rerank",
        "start_eval",
        "eval_freq",
    )
    return {
        "save_dir": cfg.data.save_dir,
        "max_epoch": train.max_epoch,
        "start_epoch": train.start_epoch,
        "fixbase_epoch": train.fixbase_epoch,
        "open_layers": train.open_layers,
        "print_freq": train.print_freq,
        "test_only": test.evaluate,
        "use_metric_cuhk03": cfg.cuhk03.use_metric_cuhk03,
        **{name: test[name] for name in same_name},
    }
