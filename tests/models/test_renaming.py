import torch

from reidar_plugin.models.renaming import trunk_tensors


def test_the_trunk_alone_under_our_names_and_without_a_dimension_of_time() -> None:
    kernel = torch.randn(2, 3, 4, 1, 1)
    given = {
        "a.theirs.weight": kernel,
        "a.bn1.bias": torch.ones(2),
        "bn.bias": kernel,
        "classifier.bias": kernel,
    }
    found = trunk_tensors(given, {".theirs.": ".ours."})
    assert found.keys() == {"base.a.ours.weight", "base.a.bn1.bias"}
    flat = found["base.a.ours.weight"]
    assert flat.shape == (2, 12, 1, 1)
    for t in range(4):
        for channel in range(3):
            assert torch.equal(flat[:, 3 * t + channel], kernel[:, channel, t])
