"""Which keys of a config somebody has set, and where: in a file, on the command line, or in a program."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

__all__ = ["Setting", "SettingLog", "has_key", "keys_of", "leaves", "value_at"]


class Setting(NamedTuple):
    """Where the value of a key comes from."""

    source: str  #: as a message names it: ``config file a.yaml``, ``command line``, ...
    rank: int  #: order of the settings; the one of the highest rank is the most specific, and wins
    in_file: bool  #: whether it stands in a config file
    is_default: bool = False  #: whether the value is what the key has anyway


class SettingLog:
    """Remembers which keys were merged into a config, and finds those that were assigned without a merge.

    Args:
        defaults: the config before anything was set.
    """

    def __init__(self, defaults: Mapping[str, Any]) -> None:
        self._defaults = {key: value_at(defaults, key) for key in keys_of(defaults)}
        self._merged: dict[str, tuple[Any, Setting]] = {}
        self._rank = 0

    def merged(self, cfg: Mapping[str, Any], keys: Iterable[str], source: str, in_file: bool) -> None:
        """Note that these keys of ``cfg`` were set together; what is noted later is more specific."""
        self._rank += 1
        for key in keys:
            self._merged[key] = value_at(cfg, key), Setting(source, self._rank, in_file)

    def settings(self, cfg: Mapping[str, Any]) -> dict[str, Setting]:
        """Every key that was set, by its name.

        A value that is neither the default nor the merged one was assigned: by a flag of the launch script (``--root``,
        ``-s``, ``-t``, ``--transforms``) or by the program. An assignment is as specific as can be.
        """
        assigned = Setting("a flag or the program", self._rank + 1, in_file=False)
        found = {}
        for key, default in self._defaults.items():
            value = value_at(cfg, key)
            merged, setting = self._merged.get(key, (default, None))
            if isinstance(value, dict) or (setting is None and value == default):
                continue
            setting = setting if setting is not None and value == merged else assigned
            found[key] = setting._replace(is_default=value == default)
        return found


def keys_of(tree: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """Every key of a nested config, groups too, as ``group.key``."""
    for name, value in tree.items():
        yield f"{prefix}{name}"
        if isinstance(value, dict):
            yield from keys_of(value, f"{prefix}{name}.")


def leaves(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every key of a nested config that is no group, as ``group.key``, and its value."""
    for name, value in tree.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def value_at(tree: Mapping[str, Any], key: str) -> Any:
    """Value of ``group.key`` in a nested config."""
    value: Any = tree
    for name in key.split("."):
        value = value[name]
    return value


def has_key(tree: Mapping[str, Any], key: str) -> bool:
    """Whether a nested config holds ``group.key``; groups are keys too."""
    value: Any = tree
    for name in key.split("."):
        if not isinstance(value, dict) or name not in value:
            return False
        value = value[name]
    return True
