"""What an entry of the table of idle keys is made of: patterns of keys, and a condition under which nobody reads them."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from yacs.config import CfgNode

from reidar_plugin.config.settings import value_at

__all__ = ["IdleKeys", "Where", "both", "is_not", "is_one"]


@dataclass(frozen=True)
class Where:
    """A condition on a config.

    Args:
        text: completes "has no effect where"; may hold the placeholder of a pattern.
        decided_by: the keys that ``holds`` reads.
        holds: whether it is so, given the config and what stands for the placeholder in the key (empty without one).
    """

    text: str
    decided_by: tuple[str, ...]
    holds: Callable[[CfgNode, str], bool]


def is_one(key: str, *values: Any) -> Where:
    """Where a key has one of these values."""
    return Where(f"{key} is {_either(values)}", (key,), lambda cfg, _: value_at(cfg, key) in values)


def is_not(key: str, *values: Any) -> Where:
    """Where a key has none of these values."""
    return Where(f"{key} is not {_either(values)}", (key,), lambda cfg, _: value_at(cfg, key) not in values)


def both(first: Where, second: Where) -> Where:
    """Where both conditions hold."""
    return Where(
        f"{first.text} and {second.text}",
        first.decided_by + second.decided_by,
        lambda cfg, name: first.holds(cfg, name) and second.holds(cfg, name),
    )


@dataclass(frozen=True)
class IdleKeys:
    """Keys, and where they have no effect.

    Args:
        keys: patterns, parted by spaces; ``*`` is the rest of a key, one ``<placeholder>`` a part of it.
        where: the condition.
        instead: what to do, by the name of the key that does it; may hold the placeholder.
        severity: ``error`` where an intention would be lost, ``note`` where the key may wait for another run.
    """

    keys: str
    where: Where
    instead: str
    severity: Literal["error", "note"] = "error"

    def match(self, key: str) -> str | None:
        """What stands for the placeholder where a pattern matches (empty without one); None where none does."""
        for pattern in self.keys.split():
            found = _regex(pattern).fullmatch(key)
            if found:
                return found[1] if found.groups() else ""
        return None

    def advice(self, name: str) -> str:
        """Where the keys are idle and what to do, with the placeholder filled in."""
        text = f"where {self.where.text}; {self.instead}"
        return re.sub(r"<term>", name, text) if name else text


@cache
def _regex(pattern: str) -> re.Pattern[str]:
    parts = re.split(r"(<\w+>|\*)", pattern)
    return re.compile(
        "".join(
            r"(\w+)" if part.startswith("<") else ".+" if part == "*" else re.escape(part) for part in parts
        )
    )


def _either(values: tuple[Any, ...]) -> str:
    *first, last = map(str, values)
    return f"{', '.join(first)} or {last}" if first else last
