"""Pretrained weights of timm's networks: fetched by timm, or from a local file.

Either way timm itself turns them into those of the network that is built: it renames what older or other code calls
differently, and interpolates position embeddings to the size of the frames.
"""

import math
from pathlib import Path
from typing import Any

from torch import Tensor

from reidar_plugin.errors import ConfigError, summary
from reidar_plugin.io.console import say
from reidar_plugin.io.download import no_network
from reidar_plugin.models.timm_networks.package import timm_library
from reidar_plugin.models.weights import WeightsError, WeightsMissingError, check_sum, read_trunk

__all__ = ["check_positions", "downloaded", "from_file"]

_CURE = "name a file in reidar.model.weights, or set model.pretrained to False"


def downloaded(name: str, **size: Any) -> Any:
    """The network with the weights that timm fetches, into its own cache.

    Raises:
        WeightsMissingError: timm has none, or cannot fetch them.
    """
    timm = timm_library()
    if not timm.list_pretrained(name if "." in name else f"{name}.*"):
        raise WeightsMissingError(f"timm has no pretrained weights of {name}; {_CURE}")
    try:
        with no_network():
            return timm.create_model(name, pretrained=True, num_classes=0, **size)
    except (OSError, RuntimeError) as error:
        raise WeightsMissingError(
            f"timm could not fetch its weights of {name} ({summary(error)}); {_CURE}"
        ) from error


def from_file(name: str, path: Path, sha256: str = "", **size: Any) -> Any:
    """The network with the weights of a file, all of which must be filled; those of its classifier are left out.

    Args:
        name: of the network.
        path: written by ``torch.save`` (a state dict, or one under ``state_dict``), or a file of safetensors.
        sha256: checksum that it must have; empty for none.
        size: what timm is to build it for.

    Raises:
        WeightsMissingError: there is no such file.
        WeightsError: it does not fit the network, or has another checksum.
    """
    timm = timm_library()
    head = _names(timm.get_pretrained_cfg(name).classifier)
    tensors = {key: value for key, value in _read(path, sha256).items() if not key.startswith(head)}
    given = {
        "state_dict": tensors,
        "num_classes": 0,
        "label_offset": 0,
    }  # no head on either side: timm loads strictly
    try:
        network = timm.create_model(
            name, pretrained=True, num_classes=0, pretrained_cfg_overlay=given, **size
        )
    except (KeyError, RuntimeError) as error:
        first, *rest = [line.strip() for line in str(error).splitlines()] or ["?"]
        raise WeightsError(
            f"{path} does not fit timm's {name}: {' '.join([first, *rest[:1]])[:300]}; give the weights of this very "
            "network, under timm's names"
        ) from error
    network.pretrained_cfg.pop("state_dict")
    say(f"timm_{name}: {len(tensors)} tensors loaded from {path}")
    return network


def check_positions(name: str, network: Any) -> None:
    """Refuse frames whose patches are as many as those of the pretraining, but lie otherwise.

    timm interpolates position embeddings only where their number differs: those of 8 x 8 patches would be taken row by row
    for 16 x 4.

    Raises:
        ConfigError: the network has position embeddings, and that is the case.
    """
    embedding: Any = getattr(network, "patch_embed", None)
    grid = getattr(embedding, "grid_size", None)
    if grid is None or getattr(network, "pos_embed", None) is None:
        return
    pretrained = timm_library().get_pretrained_cfg(name).input_size[1:]
    before = tuple(pixels // patch for pixels, patch in zip(pretrained, embedding.patch_size, strict=True))
    if before != tuple(grid) and math.prod(before) == math.prod(grid):
        raise ConfigError(
            f"the position embeddings of timm's {name} are of {before[0]} x {before[1]} patches and cannot serve as many "
            f"in {grid[0]} x {grid[1]}: set data.height and data.width to another size"
        )


def _read(path: Path, sha256: str) -> dict[str, Tensor]:
    path = path.expanduser()
    if path.suffix != ".safetensors" or not path.is_file():
        return read_trunk(path, sha256)
    from safetensors.torch import load_file  # timm's own format, and its requirement

    if sha256:
        check_sum(path, sha256)
    return load_file(path)


def _names(classifier: str | tuple[str, ...] | None) -> tuple[str, ...]:
    names = (classifier,) if isinstance(classifier, str) else classifier or ()
    return tuple(f"{name}." for name in names)
