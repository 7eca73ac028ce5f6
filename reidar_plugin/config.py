"""The ``reidar`` node of a torchreid config: every key of the plugin, its default and where the number comes from.

One function a room. Host keys are used where the host has one (``video.seq_len``, ``train.lr``, ``sampler.*``,
``test.*``, ...); the node holds only what torchreid has no word for.
"""

from yacs.config import CfgNode as CN

__all__ = ["add_reidar_config", "reidar_node"]


def add_reidar_config(cfg: CN) -> CN:
    """Declare the plugin's keys in a host config, in place; a node that is there already is left as it is.

    Args:
        cfg: what the host's ``get_default_config()`` returned.

    Returns:
        The same ``cfg``.
    """
    if "reidar" not in cfg:
        cfg.reidar = reidar_node()
    return cfg


def reidar_node() -> CN:
    """A fresh ``reidar`` node with every default."""
    node = CN()
    node.labels = _labels()
    node.data = _data()
    node.model = _model()
    node.loss = _loss()
    node.train = _train()
    node.test = _test()
    return node


def _labels() -> CN:
    node = CN()
    return node


def _data() -> CN:
    node = CN()
    return node


def _model() -> CN:
    node = CN()
    return node


def _loss() -> CN:
    node = CN()
    return node


def _train() -> CN:
    node = CN()
    return node


def _test() -> CN:
    node = CN()
    return node
