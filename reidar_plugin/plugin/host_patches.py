"""Patches of the host's own faults, in place while the plugin is on.

Each function here takes the host's original and returns what stands in its place (see :func:`host.replace`); where
the original does the work right, it does it. ``docs/host-faults.md`` lists them beside what happens without the plugin.
"""

import functools
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, UnidentifiedImageError
from torch import nn

from reidar_plugin import host
from reidar_plugin.checkpoint.state import load_weights, plain, unwrapped
from reidar_plugin.errors import MissingFileError, PictureError
from reidar_plugin.io.safe_load import only_plain

__all__ = ["install", "prepare_worker", "uninstall"]

Wrapper = Callable[[Callable[..., Any]], Callable[..., Any]]


def install() -> None:
    """Put every patch in place; a second call changes nothing."""
    host.replace_all(_patches())


def uninstall() -> None:
    """Give the host its own functions back."""
    host.restore_all((holder, name) for holder, name, _ in _patches())


def prepare_worker(worker_id: int) -> None:
    """``worker_init_fn`` of the host's loaders: a spawned worker knows nothing of what its parent replaced."""
    host.replace(host.reid.utils.tools, "read_image", _read_image)


def _patches() -> Iterator[tuple[Any, str, Wrapper]]:
    reid = host.reid
    yield reid.utils.tools, "read_image", _read_image
    yield reid.data.ImageDataManager, "__init__", _with_prepared_workers
    yield reid.data.VideoDataManager, "__init__", _with_prepared_workers
    yield reid.data.Dataset, "__add__", _add_asks_the_other
    yield reid.data.Dataset, "download_dataset", _download_none
    yield reid.utils.torchtools, "save_checkpoint", _save_plain
    yield reid.utils.torchtools, "load_checkpoint", _load_plain
    yield reid.utils.torchtools, "resume_from_checkpoint", _resume_unwrapped
    yield reid.utils.torchtools, "load_pretrained_weights", _load_any_names
    yield reid.engine.Engine, "save_model", _save_model
    yield reid.metrics.rank, "evaluate_rank", _evaluate_any_gallery
    yield reid.utils.model_complexity, "compute_model_complexity", _complexity_of_clips


# Pictures: the host reads a broken one for ever.


def _read_image(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def read_image(path: str) -> Image.Image:
        if not Path(path).exists():
            raise PictureError(f"{path}: no such picture; restore it or take its tracklet out of the lists")
        try:
            with Image.open(path) as picture:
                return picture.convert("RGB")
        except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
            reason = "not a picture" if isinstance(error, UnidentifiedImageError) else str(error)
            raise PictureError(f"{path}: cannot be read: {reason}; restore the file") from error

    return read_image


def _with_prepared_workers(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        loaders = [self.train_loader, getattr(self, "train_loader_t", None)]
        loaders += [loader for parts in self.test_loader.values() for loader in parts.values()]
        for loader in loaders:
            if isinstance(loader, torch.utils.data.DataLoader) and loader.worker_init_fn is None:
                loader.worker_init_fn = prepare_worker

    return __init__


# Sums of sources: the host's set makes a plain VideoDataset of both, which knows no labels.


def _add_asks_the_other(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def __add__(self: Any, other: Any) -> Any:
        if type(other).__radd__ is not host.reid.data.Dataset.__radd__:
            return NotImplemented  # Python then asks the other set, which has a word of its own in this
        return original(self, other)

    return __add__


# Data sets: the host fetches some over plain HTTP, unasked, and unpacks whatever came.


def _download_none(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def download_dataset(self: Any, dataset_dir: str, dataset_url: str | None) -> None:
        if dataset_url is None or Path(dataset_dir).exists():
            original(self, dataset_dir, dataset_url)
            return
        raise MissingFileError(
            f"{dataset_dir}: no such folder; data sets are not downloaded: fetch {dataset_url} and unpack it there, or "
            "name another folder in data.root (--root)"
        )

    return download_dataset


# Checkpoints: the host cannot read what it wrote (a numpy number inside, ``module.`` before the names).


def _save_plain(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def save_checkpoint(
        state: dict[str, Any], save_dir: str, is_best: bool = False, remove_module_from_keys: bool = False
    ) -> None:
        weights = {key: value for key, value in state.items() if key == "state_dict"}  # with its metadata
        original(
            {**plain(state), **weights},
            save_dir,
            is_best=is_best,
            remove_module_from_keys=remove_module_from_keys,
        )

    return save_checkpoint


def _load_plain(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def load_checkpoint(fpath: str) -> Any:
        with only_plain():
            return original(fpath)

    return load_checkpoint


def _resume_unwrapped(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def resume_from_checkpoint(
        fpath: str, model: nn.Module, optimizer: Any = None, scheduler: Any = None
    ) -> int:
        from reidar_plugin.checkpoint.compatibility import resuming
        from reidar_plugin.models.joint import JointModel

        target = _AnyPrefix(model)
        with resuming(fpath) if isinstance(target.model, JointModel) else nullcontext():
            return original(fpath, target, optimizer=optimizer, scheduler=scheduler)

    return resume_from_checkpoint


class _AnyPrefix:
    """A model, as far as resuming goes: takes the weights of its ``DataParallel`` twin as well."""

    def __init__(self, model: nn.Module) -> None:
        self.model = unwrapped(model)

    def load_state_dict(self, weights: dict[str, Any]) -> None:
        from reidar_plugin.models.joint import JointModel

        own = self.model.state_dict()
        if weights.keys() != own.keys() and all(name.startswith("module.") for name in weights):
            weights = {name.removeprefix("module."): value for name, value in weights.items()}
        if isinstance(self.model, JointModel):
            load_weights(self.model, weights)  # says in one line what differs
        else:
            self.model.load_state_dict(weights)


def _load_any_names(original: Callable[..., Any]) -> Callable[..., Any]:
    """Weights of the released Re-ID-AR code: the host would drop what it calls otherwise, and go on."""

    @functools.wraps(original)
    def load_pretrained_weights(model: nn.Module, weight_path: str) -> None:
        from reidar_plugin.models.joint import JointModel
        from reidar_plugin.models.released import is_released, load_released
        from reidar_plugin.models.weights import read_tensors

        inner = unwrapped(model)
        if isinstance(inner, JointModel):
            tensors = read_tensors(weight_path)
            if is_released(tensors):
                load_released(inner, tensors)
                return
        original(model, weight_path)

    return load_pretrained_weights


def _save_model(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def save_model(self: Any, epoch: int, rank1: float, save_dir: str, is_best: bool = False) -> None:
        tables = (self._models, self._optims, self._scheds)
        kept = [dict(table) for table in tables]
        for table in tables:
            table.update({name: _as_saved(entry) for name, entry in table.items()})
        try:
            original(self, epoch, rank1, save_dir, is_best=is_best)
        finally:
            for table, entries in zip(tables, kept, strict=True):
                table.update(entries)

    return save_model


def _as_saved(entry: Any) -> Any:
    """What is asked for its state: the model inside ``DataParallel``, and something where there is nothing."""
    if entry is None:
        return _Nothing()
    return unwrapped(entry)


class _Nothing:
    """An absent optimiser or schedule, as far as saving goes."""

    def state_dict(self) -> dict[str, Any]:
        return {}


# Ranks: a gallery smaller than the largest rank is an IndexError in the host.


def _evaluate_any_gallery(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def evaluate_rank(
        distmat: np.ndarray,
        q_pids: np.ndarray,
        g_pids: np.ndarray,
        q_camids: np.ndarray,
        g_camids: np.ndarray,
        max_rank: int = 50,
        use_metric_cuhk03: bool = False,
        use_cython: bool = True,
    ) -> Any:
        left_out = (q_pids[:, None] == g_pids[None]) & (q_camids[:, None] == g_camids[None])  # (Q, G)
        short = max_rank - (len(g_pids) - (int(left_out.sum(axis=1).max()) if len(left_out) else 0))
        if short > 0:  # strangers behind everybody else: no rank of a match and no average precision changes
            strangers = int(max(g_pids.max(initial=0), q_pids.max(initial=0))) + 1 + np.arange(short)
            distmat = distmat.astype(np.result_type(distmat, np.float32), copy=False)
            distmat = np.pad(distmat, ((0, 0), (0, short)), constant_values=np.inf)
            g_pids = np.concatenate([g_pids, strangers])
            g_camids = np.concatenate([g_camids, np.full(short, -1)])
        return original(distmat, q_pids, g_pids, q_camids, g_camids, max_rank, use_metric_cuhk03, use_cython)

    return evaluate_rank


# Complexity: the host measures every model on one picture, and a model of clips dies of it.


def _complexity_of_clips(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def compute_model_complexity(
        model: nn.Module, input_size: tuple[int, ...], verbose: bool = False, only_conv_linear: bool = True
    ) -> Any:
        options = {"verbose": verbose, "only_conv_linear": only_conv_linear}
        if len(input_size) != 4:
            return original(model, input_size, **options)
        undo = _undoing(model)
        try:
            return original(model, input_size, **options)
        except Exception as refusal:  # noqa: BLE001 - whatever the model says of pictures; a clip is tried next
            undo()
            try:
                return original(model, (input_size[0], 1, *input_size[1:]), **options)
            except Exception:  # noqa: BLE001 - it takes neither: what it said of the picture is what is shown
                undo()
                raise refusal from None

    return compute_model_complexity


def _undoing(model: nn.Module) -> Callable[[], None]:
    """A function that takes back what a count leaves behind where it dies: hooks, mode, random numbers."""
    hooks = {module: dict(module._forward_hooks) for module in model.modules()}
    was_training, numbers = model.training, torch.get_rng_state()

    def undo() -> None:
        for module, kept in hooks.items():
            module._forward_hooks.clear()
            module._forward_hooks.update(kept)
        model.train(was_training)
        torch.set_rng_state(numbers)

    return undo
