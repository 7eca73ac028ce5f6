"""A dozen networks of timm, one a family, made small, and what is known of their maps."""

from typing import Any, NamedTuple

import pytest

timm = pytest.importorskip("timm")


class Small(NamedTuple):
    """A network, and what must come of it."""

    changes: dict[str, Any]  #: arguments of its class that make it small
    frame_size: tuple[int, int]
    channels: int
    map_size: tuple[int, int]  #: as timm builds it, last stride 2
    prefix: int = 0  #: tokens before those of the patches
    last_stride: bool = False  #: whether it has one that can become 1
    stage: str = ""  #: one of those that can be named


NETWORKS = {
    "test_resnet": Small({}, (64, 32), 96, (2, 1), last_stride=True, stage="layer3"),
    "resnetv2_18d": Small(
        {"channels": (8, 16, 16, 32)}, (64, 32), 32, (2, 1), last_stride=True, stage="stages.2"
    ),
    "regnetx_002": Small({}, (64, 32), 368, (2, 1), last_stride=True, stage="s2"),
    "test_efficientnet": Small({}, (64, 32), 256, (2, 1), last_stride=True, stage="blocks.2"),
    "mobilenetv3_small_050": Small({}, (64, 32), 288, (2, 1), last_stride=True, stage="blocks.3"),
    "test_convnext": Small({}, (64, 32), 64, (2, 1), stage="stages.1"),
    "swin_tiny_patch4_window7_224": Small(
        {"embed_dim": 12, "depths": (1, 1, 1, 1), "num_heads": (1, 1, 1, 1)},
        (64, 32),
        96,
        (2, 1),
        stage="layers.2",
    ),
    "test_vit": Small({}, (64, 32), 64, (4, 2), prefix=1, stage="blocks.3"),
    "deit_tiny_distilled_patch16_224": Small({"depth": 2}, (64, 32), 192, (4, 2), prefix=2, stage="blocks.0"),
    "vit_small_patch14_reg4_dinov2": Small(
        {"depth": 2, "embed_dim": 24, "num_heads": 2}, (56, 28), 24, (4, 2), prefix=5, stage="blocks.0"
    ),
    "mixer_s32_224": Small({}, (128, 64), 512, (4, 2), stage="blocks.0"),
    "vit_tiny_r_s16_p8_224": Small({"depth": 1}, (128, 64), 192, (4, 2), prefix=1, stage="blocks.0"),
}
