"""What a model tells of itself."""

import json
from dataclasses import replace
from typing import Any

import pytest

from reidar_plugin.config.files import full_config
from reidar_plugin.errors import InputError, ReidarError
from reidar_plugin.inference.model_card import ModelCard

CARD = ModelCard(
    "m", 8, 4, (0.1, 0.2, 0.3), (1.0, 1.0, 0.5), "linear", 3, actions=("a", "b"), thresholds=(0.5, 0.7)
)


def test_from_a_config() -> None:
    cfg = full_config()
    cfg.model.name, cfg.data.height, cfg.data.width = "asanet", 20, 10
    cfg.data.norm_mean, cfg.data.norm_std = [0.1, 0.2, 0.3], [1.0, 2.0, 3.0]
    cfg.video.seq_len, cfg.test.dist_metric, cfg.reidar.data.interpolation = 7, "cosine", "area"
    cfg.reidar.data.test_clips, cfg.reidar.data.test_max_clips = "interleaved", 9
    expected = ModelCard(
        "asanet",
        20,
        10,
        (0.1, 0.2, 0.3),
        (1.0, 2.0, 3.0),
        "area",
        7,
        "interleaved",
        9,
        ("x",),
        (0.5,),
        "cosine",
    )
    assert ModelCard.from_config(cfg, ("x",)) == expected
    assert ModelCard.from_config(cfg, ("x",), (0.2,)) == replace(expected, thresholds=(0.2,))


@pytest.mark.parametrize(
    ("metric", "unit", "distance"), [("euclidean", False, "euclidean"), ("euclidean", True, "cosine")]
)
def test_distances_of_unit_vectors_are_in_the_order_of_cosine(metric: str, unit: bool, distance: str) -> None:
    cfg = full_config()
    cfg.test.dist_metric, cfg.test.normalize_feature = metric, unit
    assert ModelCard.from_config(cfg, ()).distance == distance


def test_as_text_and_back() -> None:
    assert ModelCard.from_json(CARD.as_json(), "x.onnx") == CARD


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "x.onnx does not describe its model"),
        ("[]", "other fields"),
        (json.dumps({**json.loads(CARD.as_json()), "colour": 1}), "other fields"),
        (json.dumps({**json.loads(CARD.as_json()), "height": "tall"}), "export it again"),
        (json.dumps({**json.loads(CARD.as_json()), "thresholds": [0.5]}), "each of 2 actions, got 1"),
    ],
)
def test_other_text(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        ModelCard.from_json(text, "x.onnx")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"height": 0}, "at least 1 x 1, got 0 x 4"),
        ({"interpolation": "magic"}, "unknown interpolation 'magic'"),
        ({"std": (0.0, 1.0, 1.0)}, "three deviations > 0"),
        ({"clip_length": 0}, "at least one frame, got 0"),
        ({"test_clips": "some"}, "unknown choice of frames 'some'"),
        ({"thresholds": (0.5, 2.0)}, r"thresholds from 0 to 1, got \[0\.5, 2\.0\]"),
        ({"thresholds": (float("nan"), 0.5)}, "thresholds from 0 to 1"),
        ({"distance": "city block"}, "unknown metric 'city block'"),
    ],
)
def test_values_that_do_not_fit(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ReidarError, match=message):
        replace(CARD, **change)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("height", "8"),
        ("height", True),
        ("mean", 0.5),
        ("actions", ["a", 1]),
        ("std", ["1", 1, 1]),
        ("model", None),
    ],
)
def test_a_value_of_another_type(name: str, value: Any) -> None:
    text = json.dumps({**json.loads(CARD.as_json()), name: value})
    with pytest.raises(InputError, match=f"file does not describe its model .*{name} cannot be"):
        ModelCard.from_json(text, "file")


@pytest.mark.parametrize(
    "change", [{"height": 2**40}, {"clip_length": 10**9}, {"branches": 0}, {"branches": 2**62}]
)
def test_a_card_does_not_ask_for_gigabytes(change: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=r"at most 67,108,864 pixels|1 \.\.\. 64 branches"):
        replace(CARD, **change)
