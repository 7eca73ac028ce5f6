"""Reading a toolbox config: yacs' strict merge, with errors that name the file, the key and the nearest known key.

A file may start from another with ``_BASE_: other.yaml`` (relative to itself); its own keys win.
"""

import copy
import os
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from yacs.config import CfgNode

from reidar_plugin.config.node import add_reidar_config
from reidar_plugin.config.settings import Setting, SettingLog, has_key, keys_of, leaves, value_at
from reidar_plugin.errors import ConfigError, nearest, shown
from reidar_plugin.host.defaults import toolbox_config
from reidar_plugin.io.plain_text import PlainLoader

__all__ = ["BASE", "CheckedConfig", "checked", "full_config"]

#: The key that names the file a config starts from.
BASE = "_BASE_"

_LOG = "__settings__"  # an attribute, as yacs' own __immutable__, so that it is copied and is no key


class CheckedConfig(CfgNode):
    """A host config whose merges say in one line what is wrong, and which remembers what was set, and where.

    Its keys and values are yacs' own. :func:`checked` makes one of a plain config.
    """

    def settings(self) -> dict[str, Setting]:
        """Every key that a file, the command line, a flag or the program has set."""
        return self._log.settings(self)

    @property
    def _log(self) -> SettingLog:
        return self.__dict__[_LOG]

    def merge_from_file(self, cfg_filename: str) -> None:
        """Merge a yaml file, its ``_BASE_`` first.

        Raises:
            ConfigError: the file is missing, empty, no yaml, or holds a key or a value that does not fit.
        """
        if str(cfg_filename).endswith(".py"):
            super().merge_from_file(cfg_filename)
            return
        for path, tree in _with_bases(Path(cfg_filename), ()):
            self.merge_tree(tree, f"config file {path}")

    def merge_from_list(self, cfg_list: list[Any]) -> None:
        """Merge ``[key, value, key, value, ...]``, as given on a command line.

        Raises:
            ConfigError: a value is missing, a key is unknown, or a value does not fit.
        """
        if len(cfg_list) % 2:
            raise ConfigError(
                f"options come in pairs 'key value', got {len(cfg_list)} words: {' '.join(map(str, cfg_list))}"
            )
        for key, value in zip(cfg_list[::2], cfg_list[1::2], strict=True):
            if str(key).startswith("-"):
                raise ConfigError(f"command line: flags such as {key} come before the 'key value' options")
            self._check_key(str(key), "command line")
            if isinstance(self._at(str(key)), CfgNode):
                raise ConfigError(
                    f"command line: {key!r} is a group of keys; name one of {', '.join(self._at(str(key)))}"
                )
            self._check_value(str(key), value, "command line")
        super().merge_from_list(cfg_list)
        for key in cfg_list[::2]:
            self._log.merged(self, [str(key)], "command line", in_file=False)

    def merge_tree(self, tree: dict[str, Any], source: str) -> None:
        """Merge nested groups of keys.

        Args:
            tree: as yaml gives it.
            source: where they come from, as a message names it.

        Raises:
            ConfigError: a key or a value does not fit.
        """
        for key in keys_of(tree):
            self._check_key(key, source)
            value = value_at(tree, key)
            wants_group, has_group = isinstance(self._at(key), CfgNode), isinstance(value, dict)
            if wants_group != has_group:
                expected = "a group of keys" if wants_group else "a value"
                raise ConfigError(f"{source}: {key!r} is {expected}, got {shown(value)}")
            if not wants_group:
                self._check_value(key, value, source)
        self.merge_from_other_cfg(CfgNode(tree))
        self._log.merged(self, dict(leaves(tree)), source, in_file=True)

    @classmethod
    def _decode_cfg_value(cls, value: Any) -> Any:
        # groups inside stay plain nodes, which yacs compares by class
        try:
            return CfgNode._decode_cfg_value(value)
        except (RecursionError, MemoryError):
            raise ConfigError(f"a value is nested too deeply: {shown(value)}") from None

    def _check_key(self, key: str, source: str) -> None:
        if not has_key(self, key):
            near = nearest(key, list(keys_of(self))) or " the printed config lists all keys"
            raise ConfigError(f"{source}: unknown key {key!r};{near}")

    def _check_value(self, key: str, value: Any, source: str) -> None:
        """yacs takes a value of the default's own type, a list for a tuple, and anything for None."""
        default, value = self._at(key), self._decode_cfg_value(value)
        sequences = isinstance(default, (list, tuple)) and isinstance(value, (list, tuple))
        if sequences:
            self._check_items(key, default, value, source)
        if sequences or default is None or type(default) is type(value):
            return
        kind = type(default).__name__
        raise ConfigError(
            f"{source}: {key} expects a value of type {kind} such as {default!r}, "
            f"got {shown(value)} ({type(value).__name__})"
        )

    def _check_items(self, key: str, default: Sequence[Any], value: Sequence[Any], source: str) -> None:
        """Items of a list have the type of the default's, where these are alike; an int may stand for a float."""
        kinds = {type(item) for item in default}
        for item in value:
            if len(kinds) == 1 and type(item) not in kinds and not (kinds == {float} and type(item) is int):
                raise ConfigError(
                    f"{source}: {key} expects a list such as {list(default)!r}, "
                    f"got {shown(item)} ({type(item).__name__}) in it"
                )

    def _at(self, key: str) -> Any:
        return value_at(self, key)


def full_config() -> CheckedConfig:
    """The toolbox's config with the ``reidar`` node, every key at its default."""
    return checked(add_reidar_config(toolbox_config()))


def checked(cfg: CfgNode) -> CheckedConfig:
    """The same config, from now on with the merges of :class:`CheckedConfig`; its values now are the defaults."""
    object.__setattr__(cfg, "__class__", CheckedConfig)  # yacs takes a plain assignment for a key
    cfg.__dict__[_LOG] = SettingLog(cfg)
    return cfg


def _with_bases(path: Path, users: tuple[Path, ...]) -> Iterator[tuple[Path, dict[str, Any]]]:
    place = Path(os.path.realpath(path))  # Path.resolve fails at links in a circle
    if place in users:
        raise ConfigError(f"config file {path}: {BASE} leads back to it: {' -> '.join(map(str, users))}")
    tree = _read(path)
    if BASE in tree:
        base = tree.pop(BASE)
        if not isinstance(base, str):
            raise ConfigError(f"config file {path}: {BASE} names one file, got {shown(base)}")
        yield from _with_bases(path.parent / base, (*users, place))
    yield path, tree


class _StrictLoader(PlainLoader):
    """A loader to which a key that stands twice in a group is an error."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):  # which is no key
                continue
            if key.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"key {key.value!r} stands twice", key.start_mark
                )
            seen.add(str(key.value))
        return super().construct_mapping(node, deep=deep)


def _short(path: Path) -> str:
    """A path as a message names it; a name of thousands of letters is none, and stands only in a damaged file."""
    return str(path) if max(map(len, path.parts), default=0) <= 255 else shown(str(path))


@lru_cache(maxsize=64)
def _parsed(text: str) -> Any:
    """What yaml makes of a file: a plan of many runs reads the same few again and again."""
    return yaml.load(text, Loader=_StrictLoader)


def _read(path: Path) -> dict[str, Any]:
    try:
        if path.is_dir():
            raise ConfigError(f"config file {path} is a directory; name a yaml file in it")
        if not path.is_file():
            raise ConfigError(f"config file {path} " + ("is no file" if path.exists() else "does not exist"))
        tree = copy.deepcopy(_parsed(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise ConfigError(f"config file {_short(path)} cannot be read: {error.strerror}") from error
    except RecursionError:
        raise ConfigError(f"config file {path}: groups within groups without end") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        where = getattr(error, "problem_mark", None)
        line = f" at line {where.line + 1}" if where else ""
        raise ConfigError(
            f"config file {path} is not yaml{line}: {' '.join(str(getattr(error, 'problem', error)).split())}"
        ) from error
    if tree is None:
        raise ConfigError(f"config file {path} is empty; leave --config-file away to run with the defaults")
    if not isinstance(tree, dict):
        raise ConfigError(
            f"config file {path}: expected keys such as 'model:' and 'data:', got {type(tree).__name__} {shown(tree)}"
        )
    for name in _names(tree):
        if not isinstance(name, str):
            raise ConfigError(
                f"config file {path}: expected keys such as 'model:' and 'data:', "
                f"got {type(name).__name__} {str(name)[:60]!r}"
            )
        if "." in name:
            group, key = name.split(".", 1)
            raise ConfigError(f"config file {path}: write {name!r} as a group, '{group}: {{{key}: ...}}'")
    return tree


def _names(tree: dict[Any, Any]) -> Iterator[Any]:
    """Every name at every level, whatever its type."""
    for name, value in tree.items():
        yield name
        if isinstance(value, dict):
            yield from _names(value)
