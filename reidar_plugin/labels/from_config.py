"""Label spaces and files as the config node ``reidar.labels`` names them."""

from collections.abc import Iterable

from yacs.config import CfgNode

from reidar_plugin.config import reidar_node
from reidar_plugin.labels.attributes import AttributeSpace, attribute_space
from reidar_plugin.labels.spaces import LabelError, LabelSpace, label_space

__all__ = ["attribute_files", "configured_attributes", "configured_space", "label_files", "labels_required"]


def configured_space(node: CfgNode | None) -> LabelSpace:
    """The action space that the config selects.

    Args:
        node: ``cfg.reidar``; None, here and in the other functions, for the default config.
    """
    labels = _labels(node)
    return label_space(labels.space, labels.names)


def configured_attributes(node: CfgNode | None) -> AttributeSpace:
    """The attribute space that the config selects."""
    return attribute_space(_labels(node).attributes)


def label_files(node: CfgNode | None) -> dict[str, str]:
    """Paths of label files by data set, from ``reidar.labels.files``."""
    return _by_dataset(_labels(node).files, "reidar.labels.files")


def attribute_files(node: CfgNode | None) -> dict[str, str]:
    """Paths of attribute tables by data set, from ``reidar.labels.attribute_files``."""
    return _by_dataset(_labels(node).attribute_files, "reidar.labels.attribute_files")


def labels_required(node: CfgNode | None) -> bool:
    """Whether a data set of this package without a label file is an error."""
    return bool(_labels(node).required)


def _labels(node: CfgNode | None) -> CfgNode:
    return (reidar_node() if node is None else node).labels


def _by_dataset(entries: Iterable[str], key: str) -> dict[str, str]:
    """Convert entries such as ``"mars_actions=/data/actions.csv"`` to a dictionary; ``key`` is used in errors."""
    files: dict[str, str] = {}
    for entry in entries:
        name, sign, path = str(entry).partition("=")
        if not (name and sign and path):
            raise LabelError(
                f"{key}: expected '<data set>=<file>', e.g. 'mars_actions=labels.csv', got {entry!r}"
            )
        if name in files:
            raise LabelError(f"{key}: two files for {name}, {files[name]} and {path}; keep one")
        files[name] = path
    return files
