"""Config files: every key set to values of every kind, and broken text."""

import random
from pathlib import Path
from typing import Any

import yaml

from reidar_plugin.config.files import full_config
from reidar_plugin.config.settings import leaves
from reidar_plugin.launch.validation import check_config
from reidar_plugin.plugin import registration

from .mutations import NASTY_NUMBERS, NASTY_WORDS, break_bytes

__all__ = ["ConfigFiles"]

_VALUES = (
    *NASTY_NUMBERS,
    *NASTY_WORDS,
    None,
    True,
    False,
    [],
    {},
    [1, "a"],
    [[]],
    {"a": 1},
    "synthped",
    ["synthped"],
)


class ConfigFiles:
    """Reading a config and checking it, as every launch does."""

    name, names_file = "configs", False  # a refusal names the key

    def prepare(self, folder: Path) -> None:
        """The demo's config, and all keys there are."""
        configs = Path(__file__).resolve().parents[2] / "configs"
        self.base = configs / "demo.yaml"
        self.keys = [key for key, _ in leaves(full_config())]
        registration.enable(quiet=True)

    def case(self, folder: Path, number: int, chance: random.Random) -> Path:
        """One to three keys changed, and one in five times bytes."""
        tree: dict[str, Any] = {"_BASE_": str(self.base)}
        for _ in range(chance.randint(1, 3)):
            key = chance.choice(self.keys)
            if chance.random() < 0.1:
                key = key[:-1]
            _set(tree, key.split("."), chance.choice(_VALUES))
        data = yaml.safe_dump(tree, allow_unicode=True).encode("utf-8", "surrogatepass")
        path = folder / "case.yaml"
        path.write_bytes(break_bytes(data, chance, 2) if chance.random() < 0.2 else data)
        return path

    def ask(self, path: Path) -> None:
        """Read and check it."""
        cfg = full_config()
        cfg.merge_from_file(str(path))
        check_config(cfg)


def _set(tree: dict[str, Any], names: list[str], value: Any) -> None:
    for name in names[:-1]:
        inner = tree.setdefault(name, {})
        if not isinstance(inner, dict):
            return
        tree = inner
    tree[names[-1]] = value
