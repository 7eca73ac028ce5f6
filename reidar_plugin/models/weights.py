"""Pretrained backbone weights: safe reading, download, and a report of what was loaded.

The papers start from an IBN-a ResNet-50 trained on ImageNet, which its authors publish on Google Drive. It is taken
from a local file or from the cache, or downloaded once into the cache. For all other backbones the host downloads its
own weights, unless a local file is given.
"""

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from reidar_plugin.errors import ReidarError, summary
from reidar_plugin.io.atomic import replacing
from reidar_plugin.io.console import say
from reidar_plugin.io.download import check_online, digest_of, no_network, told_of
from reidar_plugin.io.safe_load import load_plain
from reidar_plugin.models.backbones import Backbone, build_backbone, host_builder

__all__ = [
    "LoadReport",
    "WeightsError",
    "WeightsMissingError",
    "check_sum",
    "load_backbone_weights",
    "pretrained_backbone",
    "published_file",
    "read_tensors",
    "read_trunk",
    "tensors_in",
]

PUBLISHED = "resnet50_ibn_a"
TRUNK = "base."  #: before the names of a model's trunk
DRIVE_ID = "13lprTFafpXORqs7XXMLYaelbtw6NxQM1"  # linked by the released Re-ID-AR code and by S2DN's


class WeightsError(ReidarError, ValueError):
    """A weight file cannot be used."""


class WeightsMissingError(ReidarError, FileNotFoundError):
    """A weight file is missing and cannot be downloaded."""


class LoadReport(NamedTuple):
    """Names of the tensors that were loaded from a weight file, and of those that were not."""

    loaded: list[str]  #: copied into the network
    missing: list[str]  #: in the network, not in the file
    mismatched: list[str]  #: in both, with different shapes
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
        name: name of the backbone in the host.
        frame_size: height and width of the frames.
        last_stride: see :func:`~reidar_plugin.models.backbones.build_backbone`.
        weights: local weight file; empty for the published file (resnet50_ibn_a) or the download of the host (all
            others).
        sha256: checksum that a local or published file must have; empty for none.

    Raises:
        WeightsMissingError: the file is missing, or cannot be downloaded.
        WeightsError: the file does not fit the backbone, or has another checksum.
    """
    if not weights and name != PUBLISHED:
        return _by_the_host(name, frame_size, last_stride)
    backbone = build_backbone(name, frame_size=frame_size, last_stride=last_stride)
    path = Path(weights).expanduser() if weights else published_file()
    report = load_backbone_weights(backbone.network, read_trunk(path, sha256), source=str(path))
    say(f"{name}: {report} from {path}")
    return backbone


def load_backbone_weights(
    network: nn.Module, tensors: Mapping[str, Tensor], *, source: str = "the file"
) -> LoadReport:
    """Copy tensors into a network by name, where the shapes agree.

    Args:
        network: the network, modified in place.
        tensors: tensors by name.
        source: origin of the tensors, for the error message.

    Returns:
        The names that were loaded, and those that were not.

    Raises:
        WeightsError: less than half of the numbers of the network are filled.
    """
    own = network.state_dict()
    names = [name for name in own if not name.endswith("num_batches_tracked")]  # missing in old files
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
    """Read the tensors of a checkpoint without executing code from the file.

    Args:
        path: a file written by ``torch.save``: a state dict, or a dict with one under ``state_dict``.
        sha256: checksum that the file must have; empty for none.

    Returns:
        Tensors by name, without the prefix ``module.``.

    Raises:
        WeightsMissingError: there is no such file.
        WeightsError: the checksum is wrong, or the file holds no tensors.
    """
    path = Path(path).expanduser()
    if not path.is_file():
        raise WeightsMissingError(f"no file of weights at {path}")
    if sha256:
        check_sum(path, sha256)
    return tensors_in(load_plain(path), path)


def read_trunk(path: str | Path, sha256: str = "") -> dict[str, Tensor]:
    """The same, of a network alone: of a whole model's checkpoint, such as a run writes, the tensors of its ``base``.

    Args:
        path: as in :func:`read_tensors`.
        sha256: checksum that the file must have; empty for none.
    """
    tensors = read_tensors(path, sha256)
    trunk = {name[len(TRUNK) :]: tensor for name, tensor in tensors.items() if name.startswith(TRUNK)}
    return trunk or tensors


def tensors_in(content: Any, path: str | Path) -> dict[str, Tensor]:
    """The tensors in the content of a checkpoint, by name without the prefix ``module.``.

    Args:
        content: a state dict, or a dict with one under ``state_dict``.
        path: path of the file, for the error message.
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
    """Path of the published IBN-a weights in the cache of torch, downloaded if they are missing."""
    path = Path(torch.hub.get_dir()) / "checkpoints" / f"{PUBLISHED}.pth.tar"
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        _fetch(path)
    return path


def _fetch(path: Path) -> None:
    """Download to a temporary name and rename, so that an interrupted download leaves no incomplete file."""
    import gdown  # imported only if it is needed

    failures = (OSError, gdown.exceptions.FileURLRetrievalError)
    try:
        check_online()
        say(f"fetching the ImageNet weights of {PUBLISHED} to {path}")
        with replacing(path) as part:
            if gdown.download(id=DRIVE_ID, output=str(part), quiet=True) is None:
                raise OSError("nothing came")
    except failures as error:
        raise WeightsMissingError(
            f"cannot fetch the ImageNet weights of {PUBLISHED} ({summary(error)}): put the file of "
            f"https://drive.google.com/uc?id={DRIVE_ID} at {path}, or name another in reidar.model.weights, "
            "or set model.pretrained to False"
        ) from error
    say(f"{path} has {told_of(path)}; its authors publish neither to compare them with")


def check_sum(path: Path, expected: str) -> None:
    """Refuse a file whose SHA-256 is another."""
    found = digest_of(path)
    if found != expected.lower():
        raise WeightsError(
            f"{path} has the SHA-256 {found}, expected {expected}: fetch it again, or correct the checksum"
        )


def _by_the_host(name: str, frame_size: tuple[int, int], last_stride: int) -> Backbone:
    """Build a backbone with the weights that the host downloads; its warnings and tracebacks become one-line errors."""
    import gdown

    cure = "name a file in reidar.model.weights, or set model.pretrained to False"
    if isinstance(host_builder(name), type):  # a bare class, whose keyword arguments swallow ``pretrained``
        raise WeightsMissingError(f"torchreid has no ImageNet weights for {name}; {cure}")
    with warnings.catch_warnings():
        warnings.filterwarnings(
            "error", message=".*(manually downloaded|cannot be loaded)", category=UserWarning
        )
        try:
            with no_network():
                return build_backbone(name, frame_size=frame_size, last_stride=last_stride, pretrained=True)
        except UserWarning as error:
            raise WeightsMissingError(
                f"torchreid has no ImageNet weights to fetch for {name}; {cure}"
            ) from error
        except (OSError, KeyError, gdown.exceptions.FileURLRetrievalError) as error:
            raise WeightsMissingError(
                f"torchreid could not fetch its ImageNet weights for {name} ({summary(error)}); {cure}"
            ) from error
