import pytest
import torch

from reidar_plugin.models.own import build_own
from reidar_plugin.models.stages import keep_maps, take_maps
from reidar_plugin.models.trunks import build_trunk
from reidar_plugin.models.vit import VisionTransformer, fitted_positions, resampled

SIZE = (64, 32)


@torch.no_grad()
def test_is_the_network_that_timm_has_under_the_same_names() -> None:
    timm = pytest.importorskip("timm")
    theirs = timm.create_model("vit_tiny_patch16_224", pretrained=False, num_classes=0, img_size=SIZE).eval()
    for number, values in enumerate(theirs.parameters()):  # no zero and no one stays
        values += 0.05 * torch.randn(values.shape, generator=torch.Generator().manual_seed(number))
    ours = build_trunk("vit_t16", frame_size=SIZE)
    keep_maps(ours, "patches")
    ours.network.eval().load_state_dict(theirs.state_dict())
    frames = torch.randn(2, 3, *SIZE, generator=torch.Generator().manual_seed(0))
    expected = theirs.forward_features(frames)
    found = ours.maps(ours.network, frames)
    assert expected.std() > 0.1
    torch.testing.assert_close(found[:, :, 0, 0], expected[:, 0], rtol=1e-4, atol=1e-5)
    patches = take_maps(ours.network, "patches")
    for row in range(4):
        for column in range(2):
            token = expected[:, 1 + 2 * row + column]
            torch.testing.assert_close(patches[:, :, row, column], token, rtol=1e-4, atol=1e-5)


def test_vit_b16_has_the_parameters_of_timms() -> None:
    with torch.device("meta"):
        network = build_own("vit_b16", frame_size=(224, 224)).network
    assert sum(p.numel() for p in network.parameters()) == 85_798_656


def test_positions_of_square_pictures_are_resampled_as_timm_does() -> None:
    layers = pytest.importorskip("timm.layers")
    network, public = VisionTransformer(64, 1, (256, 128)), torch.randn(1, 1 + 14 * 14, 64)
    found = fitted_positions(network, {"pos_embed": public, "other": torch.ones(1)})
    torch.testing.assert_close(found["pos_embed"], layers.resample_abs_pos_embed(public, [16, 8]))
    assert found["other"].item() == 1
    assert fitted_positions(network, {"other": torch.ones(1)}).keys() == {"other"}
    fitting = torch.randn_like(network.pos_embed)
    assert fitted_positions(network, {"pos_embed": fitting})["pos_embed"] is fitting
    tall, square = VisionTransformer(64, 1, (128, 32)), torch.randn(1, 1 + 4 * 4, 64)
    assert tall.pos_embed.shape == square.shape  # 8 x 2 patches are as many as 4 x 4
    found = fitted_positions(tall, {"pos_embed": square})
    torch.testing.assert_close(found["pos_embed"], layers.resample_abs_pos_embed(square, [8, 2]))
    with pytest.raises(
        ValueError, match=r"a square of patches and a class token, got pos_embed of \(1, 9, 64\)"
    ):
        fitted_positions(network, {"pos_embed": torch.zeros(1, 9, 64)})


def test_positions_by_hand() -> None:
    """The class token keeps its own; between two columns of 0 and 8 the middle is the mean."""
    positions = torch.tensor([5.0, 0.0, 8.0]).view(1, 3, 1)
    wider = resampled(positions, (1, 2), (1, 3)).flatten().tolist()
    assert wider[0] == 5
    assert wider[2] == pytest.approx(4, abs=1e-4)
    assert wider[1] == pytest.approx(8 - wider[3], abs=1e-4)
    assert resampled(positions, (1, 2), (1, 2)) is positions


@torch.no_grad()
def test_takes_frames_of_another_size_that_patches_fill() -> None:
    network = VisionTransformer(64, 2, SIZE).eval()
    assert network(torch.zeros(1, 3, 96, 48)).shape == (1, 64, 1, 1)
    with pytest.raises(ValueError, match=r"patches of 16 x 16, got frames of 60 x 32: set data\.height"):
        network(torch.zeros(1, 3, 60, 32))
    with pytest.raises(ValueError, match="got frames of 224 x 100"):
        build_trunk("vtn_vit_t16", frame_size=(224, 100))
