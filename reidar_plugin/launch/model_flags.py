"""The flags by which every tool is told what a file of weights does not say."""

import argparse
from collections.abc import Sequence
from typing import Any

from reidar_plugin.errors import ConfigError
from reidar_plugin.io.plain_text import PlainTextError, parse_yaml

__all__ = ["add_model_flags", "settings_of"]


def add_model_flags(parser: argparse.ArgumentParser) -> None:
    """``--model`` as ``network``, and ``--settings``, which :func:`settings_of` reads."""
    parser.add_argument(
        "--model", dest="network", default="", metavar="NAME", help="of the model, if the file does not tell"
    )
    parser.add_argument(
        "--settings",
        nargs="+",
        default=[],
        metavar="KEY VALUE",
        help="config keys that differ from the file's",
    )


def settings_of(words: Sequence[str]) -> dict[str, Any]:
    """``["data.height", "224"]`` -> ``{"data.height": 224}``."""
    if len(words) % 2:
        raise ConfigError(f"--settings: expected pairs of a key and a value, got {' '.join(words)}")
    try:
        return {key: parse_yaml(value) for key, value in zip(words[::2], words[1::2], strict=True)}
    except PlainTextError as error:
        raise ConfigError(f"--settings: a value is no YAML ({error})") from error
