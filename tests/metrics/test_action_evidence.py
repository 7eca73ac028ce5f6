import pytest
import torch

from reidar_plugin.metrics.action_evidence import with_action_evidence
from reidar_plugin.metrics.distances import pairwise_distances


def test_distances() -> None:
    torch.manual_seed(0)
    features, likelihoods = torch.randn(5, 7), torch.rand(5, 3)
    vectors = with_action_evidence(features, likelihoods, 0.3)
    for a in range(5):
        for b in range(5):
            cosine = 1 - float(torch.cosine_similarity(features[a], features[b], dim=0))
            acted = sum(
                (float(p) - float(q)) ** 2 for p, q in zip(likelihoods[a], likelihoods[b], strict=True)
            )
            found = float(((vectors[a] - vectors[b]) ** 2).sum()) / 2
            assert found == pytest.approx(cosine + 0.3 * acted, abs=1e-6)


def test_without_weight_the_order_is_that_of_cosine() -> None:
    torch.manual_seed(0)
    features, likelihoods = torch.randn(20, 7), torch.rand(20, 3)
    vectors = with_action_evidence(features, likelihoods, 0.0)
    plain = pairwise_distances(features, features, "cosine")
    assert torch.equal(pairwise_distances(vectors, vectors).argsort(1)[:, 1:], plain.argsort(1)[:, 1:])
