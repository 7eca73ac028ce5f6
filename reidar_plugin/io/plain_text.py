"""JSON and YAML from files: plain values, and one kind of error for all that is no such text."""

import json
import re
from typing import Any

import yaml

from reidar_plugin.errors import summary

__all__ = ["PlainLoader", "PlainTextError", "parse_json", "parse_yaml"]

_LONGEST = 2**20  # letters of a YAML text, of which a second is spent on half a million
_VALUES = 100_000  # that it may unfold to
_NO_LETTER = re.compile("[\0\ud800-\udfff]")
_DIGITS = 100  # of a number, with what yaml allows between them


class PlainTextError(ValueError):
    """No such text; says why, in a few words."""


class PlainLoader(yaml.SafeLoader):
    """yaml's safe loader, to which a text that is or unfolds to something huge is an error.

    ``*name`` stands for all that ``&name`` is: a few lines that name each other unfold without an end in sight.

    Raises:
        yaml.YAMLError: it is longer than a million letters, unfolds to more than a hundred thousand values, or holds one
            that is none of its kind, a number of more than 64 bits, or a letter that no text can have.
        RecursionError: a value is a part of itself.
    """

    def __init__(self, text: str) -> None:
        if len(text) > _LONGEST:
            raise yaml.YAMLError(f"expected at most {_LONGEST:,} letters, got {len(text):,}")
        super().__init__(text)

    def get_single_node(self) -> Any:
        """The whole as yaml composes it, before any value is made."""
        try:
            node = super().get_single_node()
        except (OverflowError, ValueError) as error:  # letters that are none, such as "\\UFFFFFFFF"
            raise yaml.YAMLError(str(error)) from error
        if node is not None:
            _count(node, {})
        return node

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        """A value; yaml itself dies of some, such as ``!!bool maybe``."""
        try:
            return super().construct_object(node, deep=deep)
        except (LookupError, AttributeError, OverflowError, TypeError, ValueError) as error:
            raise _refusal(f"no value of its kind ({summary(error)})", node) from error

    def construct_yaml_int(self, node: yaml.ScalarNode) -> int:
        """A number; one of a million digits would be waited for."""
        if len(node.value) <= _DIGITS:
            value: int = super().construct_yaml_int(node)
            if abs(value) < 2**63:
                return value
        raise _refusal("a number of more than 64 bits", node)

    def construct_yaml_float(self, node: yaml.ScalarNode) -> float:
        """Likewise."""
        if len(node.value) > _DIGITS:
            raise _refusal("a number of more than 64 bits", node)
        return super().construct_yaml_float(node)

    def construct_scalar(self, node: yaml.ScalarNode | yaml.MappingNode) -> Any:
        """Its text."""
        value = super().construct_scalar(node)
        if isinstance(value, str) and _NO_LETTER.search(value):
            try:  # JSON writes some letters in two halves
                value = value.encode("utf-16", "surrogatepass").decode("utf-16")
            except UnicodeDecodeError:
                raise _refusal("a letter that no text can have", node) from None
            if "\0" in value:
                raise _refusal("a letter that no text can have", node)
        return value


PlainLoader.add_constructor("tag:yaml.org,2002:int", PlainLoader.construct_yaml_int)
PlainLoader.add_constructor("tag:yaml.org,2002:float", PlainLoader.construct_yaml_float)


def _refusal(what: str, node: yaml.Node) -> yaml.YAMLError:
    return yaml.constructor.ConstructorError(None, None, what, node.start_mark)


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
        raise _refusal(f"unfolds to more than {_VALUES:,} values", node)
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
