"""From the config to label spaces and files."""

import pytest

from reidar_plugin.config import reidar_node
from reidar_plugin.labels.attributes import NO_ATTRIBUTES
from reidar_plugin.labels.from_config import (
    attribute_files,
    configured_attributes,
    configured_space,
    label_files,
    labels_required,
)
from reidar_plugin.labels.spaces import ACTIONS5, ACTIONS8, LabelError


def test_the_defaults_are_the_papers() -> None:
    for node in (None, reidar_node()):
        assert configured_space(node) == ACTIONS8
        assert configured_attributes(node) == NO_ATTRIBUTES
        assert label_files(node) == {}
        assert attribute_files(node) == {}
        assert labels_required(node) is True


def test_a_config_of_its_own() -> None:
    node = reidar_node()
    node.merge_from_list(
        [
            "labels.space",
            "shop",
            "labels.names",
            "['standing','carrying=trolley']",
            "labels.attributes",
            "['pose','hat']",
        ]
    )
    node.merge_from_list(["labels.files", "['mars_actions=a=b.csv']", "labels.required", "False"])
    assert configured_space(node).encode({"trolley"}).tolist() == [0.0, 1.0]
    assert configured_attributes(node).sizes == (6, 2)
    assert label_files(node) == {"mars_actions": "a=b.csv"}
    assert labels_required(node) is False


def test_another_published_space() -> None:
    node = reidar_node()
    node.merge_from_list(["labels.space", "actions5"])
    assert configured_space(node) == ACTIONS5


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (["labels.csv"], r"reidar\.labels\.files: expected '<data set>=<file>', .*got 'labels\.csv'"),
        (["=labels.csv"], r"expected '<data set>=<file>'"),
        (["mars_actions="], r"expected '<data set>=<file>'"),
        (["mars_actions=a", "mars_actions=b"], r"two files for mars_actions, a and b"),
    ],
)
def test_files_that_cannot_be(files: list[str], message: str) -> None:
    node = reidar_node()
    node.labels.files = files
    with pytest.raises(LabelError, match=message):
        label_files(node)
