"""JSON and YAML from files: plain values, and one kind of error for all that is no such text."""

import json
from typing import Any

import yaml

__all__ = ["PlainTextError", "parse_json", "parse_yaml"]


class PlainTextError(ValueError):
    """No such text; says why, in a few words."""


def parse_json(text: str | bytes) -> Any:
    """The value of a JSON text.

    Raises:
        PlainTextError: it is none, is no UTF-8, or nested too deeply.
    """
    try:
        return json.loads(text)
    except RecursionError:
        raise PlainTextError("nested too deeply") from None
    except ValueError as error:
        raise PlainTextError(str(error)) from error


def parse_yaml(text: str) -> Any:
    """The value of a YAML text of plain values.

    Raises:
        PlainTextError: it is none, or nested too deeply.
    """
    try:
        return yaml.safe_load(text)
    except RecursionError:
        raise PlainTextError("nested too deeply") from None
    except (yaml.YAMLError, ValueError) as error:  # a date that is none is a ValueError
        raise PlainTextError(" ".join(str(error).split())) from error
