"""docs/losses.md says what the code does."""

import re
from pathlib import Path

import yaml

from reidar_plugin.config import reidar_node
from reidar_plugin.losses import TERMS

PAGE = (Path(__file__).resolve().parents[2] / "docs/losses.md").read_text(encoding="utf-8")


def test_the_table_lists_every_term_with_side_and_weight() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| (\w+ \| [\d.]+)[,\d. a-z]* \|", PAGE, flags=re.MULTILINE))
    weights = reidar_node().loss.weights
    assert {name: row.split(" | ") for name, row in rows.items()} == {
        name: [term.group, f"{weights[name]:g}"] for name, term in TERMS.items()
    }


def test_the_settings_can_be_merged() -> None:
    blocks = re.findall(r"^    reidar:\n(?:      .*\n)+", PAGE, flags=re.MULTILINE)
    default, released = (yaml.safe_load(block)["reidar"]["loss"] for block in blocks)
    loss = reidar_node().loss
    assert loss.terms == default["terms"]
    loss.merge_from_other_cfg(type(loss)(released))
    assert loss.combine == "sum"


def test_every_key_in_the_page_exists() -> None:
    loss = reidar_node().loss
    for key in set(re.findall(r"`reidar\.loss\.([a-z_]+)[:`]", PAGE)):
        assert key in loss
