"""JSON and YAML from files: plain values, and one kind of error for all that is no such text."""

import json
from typing import Any

import yaml

__all__ = ["PlainLoader", "PlainTextError", "parse_json", "parse_yaml"]

_LONGEST = 2**20  # letters of a YAML text, of which a second is spent on half a million
_VALUES = 100_000  # that it may unfold to


class PlainTextError(ValueError):
    """No such text; says why, in a few words."""


class PlainLoader(yaml.SafeLoader):
    """yaml's safe loader, to which a text that is or unfolds to something huge is an error.

    ``*name`` stands for all that ``&name`` is: a few lines that name each other unfold without an end in sight.

    Raises:
        yaml.YAMLError: it is longer than a million letters, or unfolds to more than a hundred thousand values.
        RecursionError: a value is a part of itself.
    """

    def __init__(self, text: str) -> None:
        if len(text) > _LONGEST:
            raise yaml.YAMLError(f"expected at most {_LONGEST:,} letters, got {len(text):,}")
        super().__init__(text)

    def get_single_node(self) -> Any:
        """The whole as yaml composes it, before any value is made."""
        node = super().get_single_node()
        if node is not None:
            _count(node, {})
        return node


def _count(node: yaml.Node, counted: dict[yaml.Node, int]) -> int:
    """Number of values that it unfolds to; one that is being counted has 0 so far."""
    if node in counted:
        if not counted[node]:
            raise RecursionError
        return counted[node]
    counted[node] = 0
    if isinstance(node, yaml.MappingNode):
        parts = [part for pair in node.value for part in pair]
    else:
        parts = node.value if isinstance(node, yaml.SequenceNode) else []
    total = 1 + sum(_count(part, counted) for part in parts)
    if total > _VALUES:
        raise yaml.constructor.ConstructorError(
            None, None, f"unfolds to more than {_VALUES:,} values", node.start_mark
        )
    counted[node] = total
    return total


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
        PlainTextError: it is none, nested too deeply, or huge.
    """
    try:
        return yaml.load(text, Loader=PlainLoader)
    except RecursionError:
        raise PlainTextError("nested too deeply") from None
    except (yaml.YAMLError, ValueError) as error:  # a date that is none is a ValueError
        raise PlainTextError(" ".join(str(error).split())) from error
