"""What a trained model must tell beside its weights, so that it can be used without its config."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from textwrap import shorten
from typing import Any, get_args

from yacs.config import CfgNode

from reidar_plugin.data.clips import tracklet_clips
from reidar_plugin.data.frames import check_reading
from reidar_plugin.data.pixel_ops import Normalise
from reidar_plugin.errors import InputError, ReidarError, shown
from reidar_plugin.io.plain_text import parse_json
from reidar_plugin.metrics.distances import check_metric

__all__ = ["ModelCard"]

#: The threshold of an action for which none was chosen.
HALF = 0.5

#: Pixels of a clip, T x H x W; those of one of 32 frames of 1024 x 1024 are half of them.
MOST = 2**26


@dataclass(frozen=True)
class ModelCard:
    """How frames are prepared for a model, and what its outputs mean."""

    model: str  #: its name, as in ``model.name``
    height: int  #: H of a frame
    width: int  #: W of a frame
    mean: tuple[float, ...]  #: of each channel, see :class:`~reidar_plugin.data.pixel_ops.Normalise`
    std: tuple[float, ...]
    interpolation: str  #: how frames are brought to that size
    clip_length: int  #: T of its test
    test_clips: str = "consecutive"  #: how its test cuts a tracklet, one of ``clips.TEST_CLIPS``
    test_max_clips: int = 0  #: at most so many clips of a tracklet; 0 for all
    actions: tuple[str, ...] = ()  #: names of the M actions; empty without an action network
    thresholds: tuple[float, ...] = ()  #: likelihood from which on each action counts as seen, M
    distance: str = "euclidean"  #: ``euclidean`` or ``cosine``
    feature_size: int = 0  #: D; 0 where it is not known yet
    branches: int = 1  #: parts of a feature that each have length 1 (TCLNet: 2); 1 leaves it as it is

    def __post_init__(self) -> None:
        if self.height < 1 or self.width < 1:
            raise InputError(f"expected frames of at least 1 x 1, got {self.height} x {self.width}")
        if self.clip_length * self.height * self.width > MOST:
            raise InputError(
                f"expected clips of at most {MOST:,} pixels, got {self.clip_length} x {self.height} x {self.width}"
            )
        if not 1 <= self.branches <= 64:
            raise InputError(f"expected 1 ... 64 branches, got {self.branches}")
        check_reading("stop", self.interpolation)
        Normalise(self.mean, self.std)
        tracklet_clips(1, self.clip_length, self.test_clips, self.test_max_clips)
        check_metric(self.distance)
        if len(self.thresholds) != len(self.actions):
            raise InputError(
                f"expected a threshold for each of {len(self.actions)} actions, got {len(self.thresholds)}"
            )
        if not all(0 <= least <= 1 for least in self.thresholds):
            raise InputError(f"expected thresholds from 0 to 1, got {list(self.thresholds)}")

    @classmethod
    def from_config(
        cls, cfg: CfgNode, actions: tuple[str, ...], thresholds: tuple[float, ...] = ()
    ) -> "ModelCard":
        """The card of a model that was trained and tested with this config.

        Args:
            cfg: the whole config.
            actions: of the action network.
            thresholds: of the actions; empty for one half each.
        """
        data = cfg.reidar.data
        return cls(
            model=cfg.model.name,
            height=cfg.data.height,
            width=cfg.data.width,
            mean=tuple(cfg.data.norm_mean),
            std=tuple(cfg.data.norm_std),
            interpolation=data.interpolation,
            clip_length=data.test_length or cfg.video.seq_len,
            test_clips=data.test_clips,
            test_max_clips=data.test_max_clips,
            actions=actions,
            thresholds=thresholds or (HALF,) * len(actions),
            # squared Euclidean distances of unit vectors are twice their cosine distances: the same order
            distance="cosine" if cfg.test.normalize_feature else cfg.test.dist_metric,
        )

    @property
    def cut(self) -> str:
        """How tracklets are cut into clips, in words: features of another cut have other distances."""
        most = f", at most {self.test_max_clips}" if self.test_max_clips else ""
        return f"{self.test_clips} clips of {self.clip_length} frames{most}"

    def of_all_frames(self) -> "ModelCard":
        """The card with all consecutive clips, as tracks of videos are cut, whatever its own test did."""
        return replace(self, test_clips="consecutive", test_max_clips=0)

    def as_json(self) -> str:
        """The card as text."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str, source: str) -> "ModelCard":
        """The card that :meth:`as_json` wrote.

        Args:
            text: the text.
            source: where it was found, for the error message.

        Raises:
            InputError: it is no such text, or a value does not fit.
        """
        try:
            values: Any = parse_json(text)
            if not isinstance(values, Mapping) or set(values) != {field.name for field in fields(cls)}:
                raise ValueError("it has other fields")
            given: dict[str, Any] = {n: tuple(v) if isinstance(v, list) else v for n, v in values.items()}
            for field in fields(cls):
                _check_kind(field.name, given[field.name], field.type)
            return cls(**given)
        except (ValueError, TypeError, ReidarError) as error:
            raise InputError(
                f"{source} does not describe its model as this version of the plugin does ({shorten(str(error), 300)}); "
                "export it again"
            ) from error


def _check_kind(name: str, value: Any, kind: Any) -> None:
    """That a value of a file is of its field's type; an int may stand for a float."""
    several = get_args(kind)[:1]
    items = value if several and isinstance(value, tuple) else (value,)
    inner = several[0] if several else kind
    good = (int, float) if inner is float else (inner,)
    if isinstance(value, tuple) != bool(several) or not all(type(item) in good for item in items):
        raise ValueError(f"{name} cannot be {shown(value)}")
