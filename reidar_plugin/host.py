"""The one file that knows torchreid: its two layouts, what it keeps private, and how its functions are replaced.

torchreid comes in two layouts. The PyPI package (0.2.5) keeps the toolbox in ``torchreid.reid``; a clone of the
repository (1.4.0) keeps it in ``torchreid``. Both version strings lie about the flavour, so the layout is told by
what can be imported. The rest of the plugin writes ``from reidar_plugin.host import reid`` and then ``reid.models``,
``reid.data``, ``reid.engine``, ``reid.utils``, ... on either.
"""

import importlib
import importlib.util
import inspect
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from reidar_plugin.errors import HostError

__all__ = [
    "SIGNATURES",
    "HostInfo",
    "alias_clone_layout",
    "changed_signatures",
    "dataset_table",
    "describe",
    "model_table",
    "owner",
    "reid",
    "replace",
    "restore",
    "unalias_clone_layout",
]

if TYPE_CHECKING:
    reid: Any


@dataclass(frozen=True)
class HostInfo:
    """Which torchreid is in use."""

    layout: str  #: "package" (PyPI, ``torchreid.reid``) or "clone" (git, ``torchreid``)
    version: str
    path: Path


def _load() -> ModuleType:
    """The package that holds ``data``, ``models``, ``engine``, ``metrics``, ``optim``, ``utils``."""
    try:
        top = importlib.import_module("torchreid")
    except ImportError as error:
        missing = isinstance(error, ModuleNotFoundError) and error.name == "torchreid"
        cure = "install it with 'pip install torchreid', or put a clone of deep-person-reid on PYTHONPATH"
        if not missing:
            cure = "install what it misses; the plugin's own requirements name all of it"
        raise HostError(f"torchreid cannot be imported: {error}; {cure}") from error
    nested = hasattr(top, "__path__") and importlib.util.find_spec("torchreid.reid") is not None
    module = importlib.import_module("torchreid.reid" if nested else "torchreid")
    parts = ("data", "engine", "losses", "metrics", "models", "optim", "utils")
    lacking = [part for part in parts if not hasattr(module, part)]
    if lacking:
        raise HostError(
            f"{module.__name__} at {module.__file__} is not the toolbox the plugin knows: it has no {', '.join(lacking)}; "
            "another package or folder of that name may hide it"
        )
    return module


def __getattr__(name: str) -> Any:
    if name == "reid":
        return _load()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def describe() -> HostInfo:
    """Layout, version and place of the torchreid in use."""
    module = _load()
    top = importlib.import_module("torchreid")
    layout = "clone" if module is top else "package"
    return HostInfo(layout, str(getattr(top, "__version__", "unknown")), Path(str(module.__file__)).resolve().parent)


def model_table() -> dict[str, Callable[..., Any]]:
    """The host's private table of models, live: name -> builder(num_classes, loss, pretrained, use_gpu)."""
    return _private(_load().models, "__model_factory")


def dataset_table(data_type: str) -> dict[str, Callable[..., Any]]:
    """The host's private table of ``image`` or ``video`` datasets, live: name -> class."""
    return _private(_load().data.datasets, f"__{data_type}_datasets")


def _private(module: ModuleType, name: str) -> dict[str, Callable[..., Any]]:
    table = vars(module).get(name)
    if not isinstance(table, dict):
        raise HostError(f"{module.__name__} has no table {name}: this torchreid is newer than the plugin knows")
    return table


def owner(entry: object) -> str:
    """Who stands behind a table entry: ``module.name`` of a class, a function or what a partial calls."""
    entry = getattr(entry, "func", entry)
    return f"{getattr(entry, '__module__', '?')}.{getattr(entry, '__qualname__', type(entry).__name__)}"


def _modules() -> Iterator[ModuleType]:
    """Every loaded module of the toolbox; aliases come twice, which does no harm."""
    for name, module in list(sys.modules.items()):
        if name.split(".")[0] == "torchreid" and isinstance(module, ModuleType):
            yield module


_MARK = "__reidar_original__"


def replace(holder: Any, name: str, wrap: Callable[[Any], Any]) -> None:
    """Put ``wrap(original)`` in the place of a host function, everywhere the host has imported it.

    The original is kept on the replacement itself, so that a second call replaces the first one's work instead of
    wrapping it again, also after the plugin's modules were reloaded.

    Args:
        holder: the module or class that defines the function.
        name: its name there.
        wrap: takes the host's original, returns what shall stand in its place.
    """
    current = vars(holder)[name]
    original = getattr(current, _MARK, current)
    replacement = wrap(original)
    setattr(replacement, _MARK, original)
    _swap(holder, name, current, replacement)


def restore(holder: Any, name: str) -> None:
    """Undo :func:`replace`; without effect where nothing was replaced."""
    current = vars(holder)[name]
    if hasattr(current, _MARK):
        _swap(holder, name, current, getattr(current, _MARK))


def _swap(holder: Any, name: str, old: Any, new: Any) -> None:
    setattr(holder, name, new)
    if isinstance(holder, ModuleType):
        for module in _modules():
            if vars(module).get(name) is old:
                setattr(module, name, new)


_aliases: set[str] = set()  # names in sys.modules that are ours to take back


def alias_clone_layout() -> None:
    """Let ``torchreid.utils`` and its like be imported from the PyPI package, where they are ``torchreid.reid.utils``.

    Only names that do not exist are added: a script that was written for a clone then starts on the package too.
    """
    if describe().layout != "package":
        return
    for name, module in list(sys.modules.items()):
        alias = name.replace("torchreid.reid.", "torchreid.", 1)
        if alias != name and alias not in sys.modules:
            sys.modules[alias] = module
            _aliases.add(alias)


def unalias_clone_layout() -> None:
    """Undo :func:`alias_clone_layout`."""
    while _aliases:
        sys.modules.pop(_aliases.pop(), None)


#: What the plugin calls, wraps or extends, and the parameters it counts on. A host that differs is not the host we know.
SIGNATURES: dict[str, str] = {
    "models.build_model": "name num_classes loss pretrained use_gpu",
    "data.datasets.init_image_dataset": "name kwargs",
    "data.datasets.init_video_dataset": "name kwargs",
    "data.ImageDataManager.__init__": "self root sources targets height width transforms k_tfm norm_mean norm_std use_gpu split_id "
    "combineall load_train_targets batch_size_train batch_size_test workers num_instances num_cams num_datasets "
    "train_sampler train_sampler_t cuhk03_labeled cuhk03_classic_split market1501_500k",
    "data.VideoDataManager.__init__": "self root sources targets height width transforms norm_mean norm_std use_gpu split_id "
    "combineall batch_size_train batch_size_test workers num_instances num_cams num_datasets train_sampler seq_len sample_method",
    "data.Dataset.__init__": "self train query gallery transform k_tfm mode combineall verbose kwargs",
    "data.Dataset.__add__": "self other",
    "data.Dataset.combine_all": "self",
    "data.VideoDataset.__init__": "self train query gallery seq_len sample_method kwargs",
    "data.VideoDataset.__getitem__": "self index",
    "data.sampler.build_train_sampler": "data_source train_sampler batch_size num_instances num_cams num_datasets kwargs",
    "engine.Engine.__init__": "self datamanager use_gpu",
    "engine.Engine.register_model": "self name model optim sched",
    "engine.Engine.save_model": "self epoch rank1 save_dir is_best",
    "engine.Engine.run": "self save_dir max_epoch start_epoch print_freq fixbase_epoch open_layers start_eval eval_freq test_only "
    "dist_metric normalize_feature visrank visrank_topk use_metric_cuhk03 ranks rerank",
    "engine.Engine.train": "self print_freq fixbase_epoch open_layers",
    "engine.Engine.test": "self dist_metric normalize_feature visrank visrank_topk save_dir use_metric_cuhk03 ranks rerank",
    "engine.Engine.forward_backward": "self data",
    "metrics.evaluate_rank": "distmat q_pids g_pids q_camids g_camids max_rank use_metric_cuhk03 use_cython",
    "metrics.compute_distance_matrix": "input1 input2 metric",
    "optim.build_optimizer": "model optim lr weight_decay momentum sgd_dampening sgd_nesterov rmsprop_alpha adam_beta1 adam_beta2 "
    "staged_lr new_layers base_lr_mult",
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
        target: Any = _load()
        for part in dotted.split("."):
            target = None if target is None else getattr(target, part, None)
        target = getattr(target, _MARK, target)
        found = "nothing of that name" if target is None else " ".join(inspect.signature(target).parameters)
        if found != parameters:
            changed.append(f"{dotted}: expected ({parameters}), found ({found})")
    return changed
