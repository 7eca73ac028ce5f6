"""The data sets that the plugin registers in the host, with the label options of a config."""

from collections.abc import Callable
from functools import partial
from typing import Any

from yacs.config import CfgNode

from reidar_plugin.data.labelled_folder import LabelledDataset, check_label_use
from reidar_plugin.data.lpw import LPWActions
from reidar_plugin.data.mars import MarsActions
from reidar_plugin.data.tracklet_keys import with_labels
from reidar_plugin.data.video_dataset import ActionVideoDataset
from reidar_plugin.errors import nearest
from reidar_plugin.host import reid
from reidar_plugin.labels.attributes import NO_ATTRIBUTES, AttributeSpace, read_attributes
from reidar_plugin.labels.files import read_labels
from reidar_plugin.labels.from_config import (
    attribute_files,
    configured_attributes,
    configured_space,
    label_files,
    labels_required,
)
from reidar_plugin.labels.spaces import LabelError, LabelSpace

__all__ = ["DATASETS", "datasets", "labelled_host_dataset", "synthped"]

_SUFFIX = "_actions"


def synthped(*args: Any, **kwargs: Any) -> LabelledDataset:
    """Build SynthPed, the synthetic data set; its generator is imported only when it is used."""
    from reidar_plugin.synthped.dataset import SynthPed

    return SynthPed(*args, **kwargs)


#: The data sets of this package, by their names in the host.
DATASETS: dict[str, Callable[..., LabelledDataset]] = {
    "mars_actions": MarsActions,
    "lpw_actions": LPWActions,
    "synthped": synthped,
}


def datasets(node: CfgNode | None = None) -> dict[str, Callable[..., ActionVideoDataset]]:
    """Builders of data sets for the registry of the host; they take the arguments of the host's data sets.

    Args:
        node: ``cfg.reidar``; None for the default config. A label file or attribute table for ``<name>_actions``,
            where ``<name>`` is a video data set of the host, adds a data set with these labels.

    Returns:
        Builders by name, which can be pickled.

    Raises:
        LabelError: a label file is given for an unknown data set.
    """
    space, attributes = configured_space(node), configured_attributes(node)
    files, tables, required = label_files(node), attribute_files(node), labels_required(node)
    builders: dict[str, Callable[..., ActionVideoDataset]] = {}
    for name, builder in DATASETS.items():
        builders[name] = partial(
            builder,
            space=space,
            label_file=files.pop(name, ""),
            attribute_space=attributes,
            attribute_file=tables.pop(name, ""),
            labels_required=required,
        )
    for name in {**files, **tables}:
        host_name = name.removesuffix(_SUFFIX)
        if host_name == name:
            key = "files" if name in files else "attribute_files"
            hint = nearest(name, [*DATASETS, name + _SUFFIX])
            ours = ", ".join(DATASETS)
            raise LabelError(
                f"reidar.labels.{key}: {name!r} is none of {ours}, and no <data set>{_SUFFIX};{hint}"
            )
        builders[name] = partial(
            labelled_host_dataset,
            host_name,
            label_file=files.get(name, ""),
            space=space,
            attribute_file=tables.get(name, ""),
            attribute_space=attributes,
        )
    return builders


def labelled_host_dataset(
    name: str,
    root: str = "",
    *,
    label_file: str = "",
    space: LabelSpace,
    attribute_file: str = "",
    attribute_space: AttributeSpace = NO_ATTRIBUTES,
    **host_kwargs: Any,
) -> ActionVideoDataset:
    """A video data set that is registered in the host, with labels from a file.

    Args:
        name: name of the data set in the host.
        root: folder where the host looks for it.
        label_file: label file of this package, with keys from
            :func:`~reidar_plugin.data.tracklet_keys.tracklet_key`; empty if the actions are unknown.
        space: label space of the actions.
        attribute_file: attribute table in the published form of MARS, for data sets whose tracklets have keys such
            as ``0001C2T0003`` (MARS, DukeMTMC-VideoReID); empty if the attributes are unknown.
        attribute_space: label space of the attributes.
        host_kwargs: further arguments of the host's data set.
    """
    labels = read_labels(label_file, space) if label_file else None
    attributes = read_attributes(attribute_file, attribute_space) if attribute_file else None
    dataset = reid.data.datasets.init_video_dataset(name, root=root, **host_kwargs)
    parts = [
        with_labels(part, labels, attributes) for part in (dataset.train, dataset.query, dataset.gallery)
    ]
    if labels is not None:
        check_label_use(labels, [[frames.key for frames, *_ in part] for part in parts], required=True)
    if attributes is not None and all(frames.attributes is None for frames, *_ in parts[0]):
        raise LabelError(
            f"{attributes.path}: has none of the {len(parts[0])} training tracklets, such as {parts[0][0][0].key}"
        )
    return ActionVideoDataset(
        *parts,
        space=space,
        attribute_space=attribute_space,
        transform=dataset.transform,
        mode=dataset.mode,
        seq_len=dataset.seq_len,
        sample_method=dataset.sample_method,
        verbose=False,
    )
