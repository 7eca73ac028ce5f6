from types import SimpleNamespace

import pytest
import torch

from reidar_plugin.errors import ConfigError
from reidar_plugin.models.timm_networks.layout import layout_of


def network(**parts: object) -> SimpleNamespace:
    given = {"num_features": 5, "feature_info": [{"reduction": 4}, {"reduction": 8}]}
    return SimpleNamespace(**{**given, **parts})


def test_channels_last() -> None:
    output = torch.randn(2, 4, 2, 5)
    maps = layout_of("n", network(output_fmt="NHWC"), output, (32, 16))(output)
    assert torch.equal(maps[1, 3], output[1, :, :, 3])


def test_tokens_by_the_last_reduction() -> None:
    output = torch.arange(11.0)[None, :, None].expand(1, 11, 5)
    maps = layout_of("n", network(num_prefix_tokens=3), output, (30, 16))(
        output
    )  # 8 x 8 patches, the last ones padded
    assert maps[0, 0].tolist() == [[3, 4], [5, 6], [7, 8], [9, 10]]


@pytest.mark.parametrize("shape", [(1, 12, 5), (1, 4, 4, 2), (1, 5)])
def test_what_is_no_map(shape: tuple[int, ...]) -> None:
    with pytest.raises(
        ConfigError, match=rf"timm's n cannot be a backbone: .* tensor \(1, {shape[1]}.*5 channels"
    ):
        layout_of("n", network(num_prefix_tokens=3), torch.zeros(shape), (32, 16))


def test_a_class_token_that_nobody_counts() -> None:
    """As of VOLO."""
    output = torch.arange(9.0)[None, :, None].expand(1, 9, 5)
    maps = layout_of("n", network(cls_token=torch.zeros(1)), output, (32, 16))(output)
    assert maps[0, 0].tolist() == [[1, 2], [3, 4], [5, 6], [7, 8]]
    counted = network(cls_token=torch.zeros(1), num_prefix_tokens=0)
    assert layout_of("n", counted, output[:, 1:], (32, 16))(output[:, 1:])[0, 0, 0].tolist() == [1, 2]
