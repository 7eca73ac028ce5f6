"""Weights from outside: reading a file without running its code, fetching, and saying what was loaded.

The papers start from an IBN-a ResNet-50 trained on ImageNet; its authors publish it as one file on Drive. It
is taken from a local file, from the cache, or fetched once into the cache. All other backbones have the
host's own weights, which the host fetches itself; or a local file.
"""

import hashlib
import os
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from reidar_plugin.errors import ReidarError, summary
from reidar_plugin.io.console import say
from reidar_plugin.io.safe_load import load_plain
from reidar_plugin.models.backbones import Backbone, build_backbone, host_builder

__all__ = [
    "LoadReport",
    "WeightsError",
    "WeightsMissingError",
    "load_backbone_weights",
    "pretrained_backbone",
    "published_file",
    "read_tensors",
    "tensors_in",
]

PUBLISHED = "resnet50_ibn_a"
DRIVE_ID = "13lprTFafpXORqs7XXMLYaelbtw6NxQM1"  # linked by the released Re-ID-AR code and by S2DN's


class WeightsError(ReidarError, ValueError):
    """A file of weights that cannot be used."""


class WeightsMissingError(ReidarError, FileNotFoundError):
    """A file of weights that is not there and cannot be fetched."""


class LoadReport(NamedTuple):
    """What became of a file of weights; names of tensors."""

    loaded: list[str]
    missing: list[str]  #: in the network, not in the file
    mismatched: list[str]  #: in both, of different shapes
    unused: list[str]  #: in the file, not in the network

    def __str__(self) -> str:
        parts = [f"{len(self.loaded)} tensors loaded"]
        for field in ("missing", "mismatched", "unused"):
            names = getattr(self, field)
            if names:
                parts.append(
                    f"{len(names)} {field} ({', '.join(names[:3])}{', ...' if len(names) > 3 else ''})"
                )
        return ", ".join(parts)


def pretrained_backbone(
    name: str, *, frame_size: tuple[int, int], last_stride: int = 1, weights: str = "", sha256: str = ""
) -> Backbone:
    """A backbone with ImageNet weights.

    Args:
        name: as in the host's model table.
        frame_size: height and width of the frames.
        last_stride: see :func:`~reidar_plugin.models.backbones.build_backbone`.
        weights: local file; empty for the published file (resnet50_ibn_a) or the host's own download (all
            others).
        sha256: checksum that a local or published file must have; empty for none.
    """
    if not weights and name != PUBLISHED:
        return _by_the_host(name, frame_size, last_stride)
    backbone = build_backbone(name, frame_size=frame_size, last_stride=last_stride)
    path = Path(weights).expanduser() if weights else published_file()
    report = load_backbone_weights(backbone.network, read_tensors(path, sha256), source=str(path))
    say(f"{name}: {report} from {path}")
    return backbone


def load_backbone_weights(
    network: nn.Module, tensors: Mapping[str, Tensor], *, source: str = "the file"
) -> LoadReport:
    """Copy into a network what a file has for it; an error if most of the network stays as it was.

    Args:
        network: takes the tensors, in place.
        tensors: name -> tensor; names of the network.
        source: named in the error.
    """
    own = network.state_dict()
    names = [name for name in own if not name.endswith("num_batches_tracked")]  # old files have none
    fitting = {
        name: tensors[name] for name in names if name in tensors and tensors[name].shape == own[name].shape
    }
    report = LoadReport(
        loaded=list(fitting),
        missing=[name for name in names if name not in tensors],
        mismatched=[name for name in names if name in tensors and name not in fitting],
        unused=[name for name in tensors if name not in own],
    )
    filled, size = sum(own[name].numel() for name in fitting), sum(own[name].numel() for name in names)
    if 2 * filled < size:
        raise WeightsError(
            f"{source} fills only {filled / size:.0%} of the backbone: {report}; "
            "give the weights of this very network, under its own names"
        )
    network.load_state_dict(fitting, strict=False)
    return report


def read_tensors(path: str | Path, sha256: str = "") -> dict[str, Tensor]:
    """The tensors of a checkpoint, by name without ``module.``; pickled code in the file is refused, not run.

    Args:
        path: a file that ``torch.save`` wrote: a state dict, or a dict that holds one under ``state_dict``.
        sha256: checksum that the file must have; empty for none.
    """
    path = Path(path).expanduser()
    if not path.is_file():
        raise WeightsMissingError(f"no file of weights at {path}")
    if sha256:
        _check_sum(path, sha256)
    return tensors_in(load_plain(path), path)


def tensors_in(content: Any, path: str | Path) -> dict[str, Tensor]:
    """The tensors in what was read of a file, by name without ``module.``.

    Args:
        content: a state dict, or a dict that holds one under ``state_dict``.
        path: of the file, for the error.
    """
    state = content.get("state_dict", content) if isinstance(content, Mapping) else content
    if not isinstance(state, Mapping) or not any(isinstance(value, Tensor) for value in state.values()):
        raise WeightsError(
            f"{path} holds no tensors by name; expected a state dict, or a dict with the key 'state_dict'"
        )
    return {
        str(name).removeprefix("module."): value for name, value in state.items() if isinstance(value, Tensor)
    }


def published_file() -> Path:
    """The published IBN-a weights in torch's cache, fetched if they are not there yet."""
    path = Path(torch.hub.get_dir()) / "checkpoints" / f"{PUBLISHED}.pth.tar"
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        _fetch(path)
    return path


def _fetch(path: Path) -> None:
    """Download beside the place and rename, so that a broken transfer leaves nothing that looks whole."""
    import gdown  # only needed here

    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    failures = (OSError, gdown.exceptions.FileURLRetrievalError)
    say(f"fetching the ImageNet weights of {PUBLISHED} to {path}")
    try:
        arrived = gdown.download(id=DRIVE_ID, output=str(part), quiet=True)
        if arrived is None:
            raise OSError("nothing came")
        part.replace(path)
    except failures as error:
        part.unlink(missing_ok=True)
        raise WeightsMissingError(
            f"cannot fetch the ImageNet weights of {PUBLISHED} ({summary(error)}): put the file of "
            f"https://drive.google.com/uc?id={DRIVE_ID} at {path}, or name another in reidar.model.weights, "
            "or set model.pretrained to False"
        ) from error


def _check_sum(path: Path, expected: str) -> None:
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != expected.lower():
        raise WeightsError(
            f"{path} has the SHA-256 {found}, expected {expected}: fetch it again, or mend the checksum"
        )


def _by_the_host(name: str, frame_size: tuple[int, int], last_stride: int) -> Backbone:
    """The host's own download; what it only warns of, or leaves to a traceback, becomes one line."""
    import gdown

    cure = "name a file in reidar.model.weights, or set model.pretrained to False"
    if isinstance(host_builder(name), type):  # a bare class, whose keyword arguments swallow ``pretrained``
        raise WeightsMissingError(f"torchreid has no ImageNet weights for {name}; {cure}")
    with warnings.catch_warnings():
        warnings.filterwarnings(
            "error", message=".*(manually downloaded|cannot be loaded)", category=UserWarning
        )
        try:
            return build_backbone(name, frame_size=frame_size, last_stride=last_stride, pretrained=True)
        except UserWarning as error:
            raise WeightsMissingError(
                f"torchreid has no ImageNet weights to fetch for {name}; {cure}"
            ) from error
        except (OSError, KeyError, gdown.exceptions.FileURLRetrievalError) as error:
            raise WeightsMissingError(
                f"torchreid could not fetch its ImageNet weights for {name} ({summary(error)}); {cure}"
            ) from error
