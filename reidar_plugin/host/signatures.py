"""The functions of torchreid that the plugin relies on, and whether this torchreid still offers them."""

import inspect
from typing import Any

from reidar_plugin.host import original_of, reid

__all__ = ["SIGNATURES", "changed_signatures"]

#: What the plugin calls, wraps or extends, and the parameters it counts on.
SIGNATURES: dict[str, str] = {
    "models.build_model": "name num_classes loss pretrained use_gpu",
    "data.datasets.init_image_dataset": "name kwargs",
    "data.datasets.init_video_dataset": "name kwargs",
    "data.ImageDataManager.__init__": (
        "self root sources targets height width transforms k_tfm norm_mean norm_std use_gpu "
        "split_id combineall load_train_targets batch_size_train batch_size_test workers "
        "num_instances num_cams num_datasets train_sampler train_sampler_t cuhk03_labeled "
        "cuhk03_classic_split market1501_500k"
    ),
    "data.VideoDataManager.__init__": (
        "self root sources targets height width transforms norm_mean norm_std use_gpu split_id "
        "combineall batch_size_train batch_size_test workers num_instances num_cams num_datasets "
        "train_sampler seq_len sample_method"
    ),
    "data.Dataset.__init__": "self train query gallery transform k_tfm mode combineall verbose kwargs",
    "data.Dataset.__add__": "self other",
    "data.Dataset.combine_all": "self",
    "data.VideoDataset.__init__": "self train query gallery seq_len sample_method kwargs",
    "data.VideoDataset.__getitem__": "self index",
    "data.sampler.build_train_sampler": (
        "data_source train_sampler batch_size num_instances num_cams num_datasets kwargs"
    ),
    "engine.Engine.__init__": "self datamanager use_gpu",
    "engine.Engine.register_model": "self name model optim sched",
    "engine.Engine.save_model": "self epoch rank1 save_dir is_best",
    "engine.Engine.run": (
        "self save_dir max_epoch start_epoch print_freq fixbase_epoch open_layers start_eval "
        "eval_freq test_only dist_metric normalize_feature visrank visrank_topk use_metric_cuhk03 "
        "ranks rerank"
    ),
    "engine.Engine.train": "self print_freq fixbase_epoch open_layers",
    "engine.Engine.test": (
        "self dist_metric normalize_feature visrank visrank_topk save_dir use_metric_cuhk03 ranks rerank"
    ),
    "engine.Engine.forward_backward": "self data",
    "metrics.evaluate_rank": (
        "distmat q_pids g_pids q_camids g_camids max_rank use_metric_cuhk03 use_cython"
    ),
    "metrics.compute_distance_matrix": "input1 input2 metric",
    "optim.build_optimizer": (
        "model optim lr weight_decay momentum sgd_dampening sgd_nesterov rmsprop_alpha adam_beta1 "
        "adam_beta2 staged_lr new_layers base_lr_mult"
    ),
    "optim.build_lr_scheduler": "optimizer lr_scheduler stepsize gamma max_epoch",
    "utils.compute_model_complexity": "model input_size verbose only_conv_linear",
    "utils.load_checkpoint": "fpath",
    "utils.load_pretrained_weights": "model weight_path",
    "utils.open_all_layers": "model",
    "utils.re_ranking": "q_g_dist q_q_dist g_g_dist k1 k2 lambda_value",
    "utils.read_image": "path",
    "utils.resume_from_checkpoint": "fpath model optimizer scheduler",
    "utils.save_checkpoint": "state save_dir is_best remove_module_from_keys",
    "utils.visualize_ranked_results": "distmat dataset data_type width height save_dir topk",
}


def changed_signatures(expected: dict[str, str] = SIGNATURES) -> list[str]:
    """What this torchreid no longer offers as the plugin expects it, a line each; empty for a host that we know."""
    changed = []
    for dotted, parameters in expected.items():
        target: Any = reid
        for part in dotted.split("."):
            target = None if target is None else getattr(target, part, None)
        target = original_of(target)
        found = "nothing of that name" if target is None else " ".join(inspect.signature(target).parameters)
        if found != parameters:
            changed.append(f"{dotted}: expected ({parameters}), found ({found})")
    return changed
