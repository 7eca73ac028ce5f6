"""Networks of frames that torchreid lacks, as backbones: Res2Net and the vision transformer.

Their ImageNet weights are fetched once into the cache of torch, or read from a local file.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from reidar_plugin.errors import ConfigError
from reidar_plugin.io.console import say
from reidar_plugin.io.download import DownloadError, download
from reidar_plugin.models.backbones import Backbone, keep_size, measured_maps
from reidar_plugin.models.res2net import RES2NETS
from reidar_plugin.models.vit import VITS, VisionTransformer, fitted_positions
from reidar_plugin.models.weights import WeightsMissingError, load_backbone_weights, read_trunk

__all__ = ["PUBLISHED", "Published", "build_own", "own_names"]


class Published(NamedTuple):
    """A file of weights; the end of its name begins its SHA-256."""

    url: str
    size: int  #: bytes, as timm's pages (docs/models) tell it of the file of this name


#: network -> where its authors (vit_b16: those of timm) publish its weights
PUBLISHED = {
    "res2net50": Published(
        "https://shanghuagao.oss-cn-beijing.aliyuncs.com/res2net/res2net50_26w_4s-06e79181.pth", 103_110_087
    ),
    "vit_b16": Published(
        "https://github.com/rwightman/pytorch-image-models/releases/download/v0.1-vitjx/"
        "jx_vit_base_p16_224-80ecf9dd.pth",
        346_292_833,
    ),
}


def own_names() -> list[str]:
    """The networks of this module."""
    return [*RES2NETS, *VITS]


def build_own(
    name: str,
    *,
    pretrained: bool = False,
    frame_size: tuple[int, int] = (256, 128),
    last_stride: int = 1,
    weights: str = "",
    sha256: str = "",
) -> Backbone:
    """The network of that name; arguments as in :func:`~reidar_plugin.models.trunks.build_trunk`."""
    if last_stride not in (1, 2):
        raise ConfigError(f"the last stride must be 1 or 2, got {last_stride}")
    network: Any = VITS[name](frame_size) if name in VITS else RES2NETS[name]()
    if last_stride == 1 and name in RES2NETS:
        keep_size(network.layer4)
    if pretrained:
        path = Path(weights).expanduser() if weights else _published_file(name)
        tensors = _fitting(network, read_trunk(path, sha256))
        say(f"{name}: {load_backbone_weights(network, tensors, source=str(path))} from {path}")
    channels, height, width = measured_maps(name, network, _through, frame_size)
    return Backbone(name, network, _through, channels, frame_size, (height, width))


def _through(network: Any, frames: Tensor) -> Tensor:
    return network(frames)


def _fitting(network: nn.Module, tensors: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    return fitted_positions(network, tensors) if isinstance(network, VisionTransformer) else tensors


def _published_file(name: str) -> Path:
    """Path of the published weights in the cache of torch, downloaded if they are missing."""
    cure = "name a file in reidar.model.weights, or set model.pretrained to False"
    if name not in PUBLISHED:
        raise WeightsMissingError(f"no ImageNet weights to fetch are known for {name}; {cure}")
    url, size = PUBLISHED[name]
    path = Path(torch.hub.get_dir()) / "checkpoints" / url.rpartition("/")[2]
    if path.is_file():
        return path
    say(f"fetching the ImageNet weights of {name} to {path}")
    try:
        download(url, path, path.stem[-8:], size)
    except DownloadError as error:
        raise WeightsMissingError(
            f"cannot fetch the ImageNet weights of {name} ({error}): put the file of {url} at {path}, or {cure}"
        ) from error
    return path
