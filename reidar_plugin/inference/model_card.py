"""What a trained model must tell beside its weights, so that it can be used without its config."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from yacs.config import CfgNode

from reidar_plugin.data.clips import tracklet_clips
from reidar_plugin.data.frames import check_reading
from reidar_plugin.data.pixel_ops import Normalise
from reidar_plugin.errors import InputError, ReidarError
from reidar_plugin.metrics.distances import check_metric

__all__ = ["ModelCard"]

#: The threshold of an action for which none was chosen.
HALF = 0.5


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
            values: Any = json.loads(text)
            if not isinstance(values, Mapping) or set(values) != {field.name for field in fields(cls)}:
                raise ValueError("it has other fields")
            given: dict[str, Any] = {n: tuple(v) if isinstance(v, list) else v for n, v in values.items()}
            return cls(**given)
        except (ValueError, TypeError, ReidarError) as error:
            raise InputError(
                f"{source} does not describe its model as this version of the plugin does ({error}); export it again"
            ) from error
