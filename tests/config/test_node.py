"""The ``reidar`` node: one declaration of every key, with its default."""

from yacs.config import CfgNode

import reidar_plugin
from reidar_plugin.config import JOINT, reidar_node
from reidar_plugin.config.settings import keys_of
from reidar_plugin.data.clips import TEST_CLIPS, TRAIN_CLIPS
from reidar_plugin.host.defaults import toolbox_config
from reidar_plugin.losses.terms import TERMS
from reidar_plugin.models.temporal import POOLINGS


def test_declaring_twice_keeps_what_was_set() -> None:
    cfg = reidar_plugin.add_reidar_config(toolbox_config())
    node = cfg.reidar
    assert reidar_plugin.add_reidar_config(cfg).reidar is node


def test_it_is_declared_in_place_and_leaves_the_hosts_keys() -> None:
    cfg = toolbox_config()
    assert reidar_plugin.add_reidar_config(cfg) is cfg
    assert cfg.pop(JOINT) == reidar_node()
    assert cfg == toolbox_config()


def test_two_nodes_share_nothing() -> None:
    first, second = reidar_node(), reidar_node()
    first.loss.terms.append("focal")
    first.data.erase_area[0] = 0.5
    assert second == reidar_node() != first


def test_every_loss_term_has_a_weight_and_every_weight_a_term() -> None:
    loss = reidar_node().loss
    assert set(loss.weights) == set(TERMS)
    assert set(loss.terms) <= set(TERMS)
    groups = {name for name, value in loss.items() if isinstance(value, CfgNode)} - {"weights"}
    assert groups - {"ramp", "uncertainty"} <= set(TERMS)  # these two are ways to combine the sides


def test_defaults_are_choices() -> None:
    node = reidar_node()
    assert node.data.train_clips in TRAIN_CLIPS
    assert node.data.test_clips in TEST_CLIPS
    assert {node.model.pooling, node.model.asanet.pooling} <= set(POOLINGS)


def test_no_key_of_ours_is_one_of_the_hosts() -> None:
    host = set(keys_of(toolbox_config()))
    assert host.isdisjoint(f"{JOINT}.{key}" for key in keys_of(reidar_node()))
    assert JOINT not in host
