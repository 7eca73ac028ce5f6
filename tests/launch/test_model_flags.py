"""What a file of weights does not say, as words of a command line."""

import argparse

import pytest

from reidar_plugin.errors import ConfigError
from reidar_plugin.launch.model_flags import add_model_flags, settings_of


def test_beside_a_positional_of_that_name() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("model")
    add_model_flags(parser)
    args = parser.parse_args(
        ["a.pth", "--model", "asanet", "--settings", "data.height", "64", "a.b", "[x, y]"]
    )
    assert (args.model, args.network) == ("a.pth", "asanet")
    assert settings_of(args.settings) == {"data.height": 64, "a.b": ["x", "y"]}
    assert (parser.parse_args(["a.pth"]).network, settings_of([])) == ("", {})


def test_settings_are_pairs() -> None:
    with pytest.raises(
        ConfigError, match=r"expected pairs of a key and a value, got data\.height 224 data\.width"
    ):
        settings_of(["data.height", "224", "data.width"])
    with pytest.raises(ConfigError, match=r"--settings: a value is no YAML \(while parsing"):
        settings_of(["data.height", "["])
