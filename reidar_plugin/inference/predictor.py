"""A trained model as one callable: tracklets of any length in, what it says of each out."""

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from reidar_plugin.data.pixel_ops import Normalise
from reidar_plugin.errors import ConfigError, InputError, summary
from reidar_plugin.inference.clip_network import ClipJudge, ClipNetwork, TorchJudge
from reidar_plugin.inference.crops import TrackClip
from reidar_plugin.inference.model_card import ModelCard
from reidar_plugin.inference.onnx_judge import load_onnx
from reidar_plugin.inference.precision import Precision
from reidar_plugin.inference.prediction import ClipOutputs, Prediction, PredictionMean
from reidar_plugin.inference.tracklet_frames import Tracklet, TrackletFrames
from reidar_plugin.inference.trained_model import TrainedModel, load_trained

__all__ = ["Predictor", "TrackAverager"]

MAX_FRAMES = 256  # of a batch
CPU_PIXELS = 2**19  # of a batch on a CPU, whose caches are then not left; twice as fast as one of 256 frames


class Piece(NamedTuple):
    """A clip of somebody's tracklet that is yet to be read."""

    owner: Hashable
    places: NDArray[np.int64]  #: ``(T,)``, which frames of the tracklet
    write: Callable[[NDArray[np.uint8]], None]  #: puts the pixels into ``(T, H, W, 3)``
    size: int  #: frames of the tracklet if this is its last clip, else 0


class Predictor:
    """A trained model with its preprocessing, its labels and its thresholds; any thread may use it.

    ::

        predictor = Predictor.load("log/joint")                     # the run's best checkpoint
        for prediction in predictor([pictures, other_pictures]):    # lists of uint8 (h, w, 3) RGB, or of paths
            prediction.feature, prediction.actions >= predictor.thresholds

    The numbers are those of a test of the engine: tracklets are cut as there, and the means of clips are taken alike.

    Args:
        judge: what the model says of clips.
        card: how frames are prepared, and what the outputs mean.
        max_frames: of a batch, which bounds memory; a batch has one clip at least.
    """

    def __init__(self, judge: ClipJudge, card: ModelCard, max_frames: int = MAX_FRAMES) -> None:
        if max_frames < 1:
            raise ConfigError(f"expected max_frames of at least 1, got {max_frames}")
        self.card, self.max_frames, self._judge = card, max_frames, judge
        black = torch.zeros(1, card.clip_length, card.height, card.width, 3, dtype=torch.uint8)
        self.card = replace(card, feature_size=self.judge(black).feature.shape[1])

    @classmethod
    def load(
        cls,
        path: str | Path,
        device: str | torch.device = "cpu",
        precision: str = "float32",
        *,
        model: str = "",
        settings: dict[str, Any] | None = None,
        thresholds: Sequence[float] = (),
        max_frames: int = 0,
    ) -> "Predictor":
        """Read a model from a file; nothing in it is run.

        Args:
            path: a checkpoint of ours, the folder of a run (its best checkpoint, or the last where there is no best),
                weights of torchreid or of the released Re-ID-AR code, or an ONNX file that ``tools/export.py`` wrote.
            device: where the network runs.
            precision: of the convolutions: ``float32``, ``bfloat16`` or ``float16``.
            model: name of the model; a checkpoint of ours and the released code's weights know it.
            settings: config keys whose values the file does not have, or that shall differ, such as
                ``{"data.height": 128, "data.width": 64}``.
            thresholds: of the actions; empty for the file's own.
            max_frames: of a batch; 0 for 256, or on a CPU so many as have half a million pixels.
        """
        if Path(path).suffix == ".onnx":
            if model or settings or precision != "float32":
                raise ConfigError(
                    f"{path} has its model, settings and precision in it; leave these arguments, or flags, out"
                )
            judge, card = load_onnx(path, checked_device(device))
            card = replace(card, thresholds=tuple(thresholds)) if thresholds else card
            return cls(judge, card, max_frames or frames_of_a_batch(device, card))
        return cls.of(load_trained(path, model, settings, thresholds), device, precision, max_frames)

    @classmethod
    def of(
        cls,
        trained: TrainedModel,
        device: str | torch.device = "cpu",
        precision: str = "float32",
        max_frames: int = 0,
    ) -> "Predictor":
        """A predictor of a model that is read already; see :meth:`load`."""
        network, card = (
            ClipNetwork(trained.network, Normalise(trained.card.mean, trained.card.std)),
            trained.card,
        )
        judge = TorchJudge(network, Precision(precision, checked_device(device)))
        return cls(judge, card, max_frames or frames_of_a_batch(device, card))

    def of_all_frames(self) -> "Predictor":
        """The same model on all consecutive clips, as tracks of videos are cut, whatever its own test did."""
        return Predictor(self._judge, self.card.of_all_frames(), self.max_frames)

    @property
    def height(self) -> int:
        """H, height of a frame as the network sees it."""
        return self.card.height

    @property
    def width(self) -> int:
        """W, its width."""
        return self.card.width

    @property
    def precision(self) -> str:
        """In which the convolutions run; float32 where it is not torch that runs them."""
        return self._judge.precision.name if isinstance(self._judge, TorchJudge) else "float32"

    @property
    def actions(self) -> tuple[str, ...]:
        """Names of the M actions; empty without an action network."""
        return self.card.actions

    @property
    def thresholds(self) -> NDArray[np.float32]:
        """Likelihood from which on each action counts as seen, ``(M,)``."""
        return np.array(self.card.thresholds, np.float32)

    @property
    def feature_size(self) -> int:
        """D, width of a feature."""
        return self.card.feature_size

    @property
    def clip_length(self) -> int:
        """T, frames of a clip at test."""
        return self.card.clip_length

    @property
    def distance(self) -> str:
        """How features are compared: ``euclidean`` or ``cosine``."""
        return self.card.distance

    @property
    def interpolation(self) -> str:
        """How frames are brought to H x W."""
        return self.card.interpolation

    def __call__(self, tracklets: Iterable[Tracklet]) -> Iterator[Prediction]:
        """Predict tracklets, lazily and in order.

        A tracklet is a list of RGB pictures, uint8 ``(h, w, 3)``, or of their paths, or an array ``(n, h, w, 3)``. Clips
        of several tracklets share a batch, and those of a long one take several: memory holds ``max_frames`` frames, and
        beyond them what the caller's own lists hold.
        """
        for _, prediction in self.predict_pieces(self._cut(tracklets)):
            yield prediction

    def predict_clips(
        self, pixels: NDArray[np.uint8], valid: NDArray[Any] | Sequence[int] | None = None
    ) -> list[Prediction]:
        """Predict clips, each for itself; :func:`~reidar_plugin.inference.prediction.average` joins those of a tracklet.

        Features are as the network says them: of a model with several branches ``average`` brings each to length 1,
        after the mean, so that a clip alone needs it, too.

        Args:
            pixels: uint8 ``(B, T, H, W, 3)``, RGB, in the size of the network; any T.
            valid: bool ``(B, T)``, True for the first n frames of each clip, or those n, ``(B,)``; None for all. The rest
                is filled with the n frames in turn, whatever stands there.
        """
        self._check_pixels(pixels)
        counts = _counts(valid, *pixels.shape[:2])
        places = np.arange(pixels.shape[1]) % counts[:, None]  # (B, T)
        rows, found = self._rows(pixels.shape[1]), []
        for start in range(0, len(pixels), rows):
            part = places[start : start + rows]
            outputs = self.judge(
                torch.from_numpy(
                    np.take_along_axis(pixels[start : start + rows], part[..., None, None, None], 1)
                )
            )
            for row, size in enumerate(counts[start : start + rows].tolist()):
                mean = PredictionMean()
                mean.add(outputs.take(slice(row, row + 1)), part[row : row + 1])
                found.append(mean.result(size))
        return found

    def predict_pieces(self, pieces: Iterable[Piece]) -> Iterator[tuple[Any, Prediction]]:
        """Predict clips of many owners in batches; each owner and its prediction come after its last clip."""
        means: dict[Hashable, PredictionMean] = {}
        pieces = iter(pieces)
        while batch := list(islice(pieces, self._rows(self.clip_length))):
            outputs = self.judge(self._read(batch))
            places = np.stack([piece.places for piece in batch])
            rows: dict[Hashable, list[int]] = {}
            for row, piece in enumerate(batch):
                rows.setdefault(piece.owner, []).append(row)
            for owner, own in rows.items():
                means.setdefault(owner, PredictionMean(self.card.branches)).add(
                    outputs.take(own), places[own]
                )
            for piece in batch:
                if piece.size:
                    yield piece.owner, means.pop(piece.owner).result(piece.size)

    def judge(self, frames: Tensor) -> ClipOutputs:
        """What the model says of frames uint8 ``(B, T, H, W, 3)``.

        Raises:
            InputError: a number of it is not finite.
        """
        outputs = self._judge(frames)
        if not (np.isfinite(outputs.feature).all() and np.isfinite(outputs.actions).all()):
            raise InputError(
                f"{self.card.model} gives NaN or infinity: its weights are damaged, or its numbers are too large for this "
                "precision; take float32"
            )
        return outputs

    def _cut(self, tracklets: Iterable[Tracklet]) -> Iterator[Piece]:
        for number, frames in enumerate(tracklets):
            tracklet = TrackletFrames(frames, number, self.card)
            clips = tracklet.clips()
            for index, places in enumerate(clips, start=1):
                write = partial(tracklet.read, places)
                yield Piece(number, places, write, len(tracklet) if index == len(clips) else 0)

    def _read(self, batch: Sequence[Piece]) -> Tensor:
        frames = torch.empty(len(batch), self.clip_length, self.height, self.width, 3, dtype=torch.uint8)
        for piece, out in zip(batch, frames.numpy(), strict=True):
            piece.write(out)
        return frames

    def _rows(self, length: int) -> int:
        return max(1, self.max_frames // length)

    def _check_pixels(self, pixels: NDArray[np.uint8]) -> None:
        expected = f"expected clips of uint8 (B, T, {self.height}, {self.width}, 3)"
        if pixels.ndim != 5 or pixels.shape[2:] != (self.height, self.width, 3) or 0 in pixels.shape[1:]:
            raise InputError(f"{expected}, got {pixels.shape}")
        if pixels.dtype != np.uint8:
            raise InputError(f"{expected}, got {pixels.dtype}")


class TrackAverager:
    """Predicts the tracks of a video from clips as they come; :func:`~reidar_plugin.inference.crops.join_clips` gives them.

    Memory holds a batch of clips, and of each track that is not over its sums and the weights of its frames. Tracks are
    cut into consecutive clips, all of which count, whatever the model's own test did.

    Args:
        predictor: the model.
    """

    def __init__(self, predictor: Predictor) -> None:
        self.predictor = predictor

    def __call__(self, clips: Iterable[TrackClip]) -> Iterator[tuple[int, Prediction]]:
        """Yield each track and its prediction soon after its last clip has come: when the batch with it is full."""
        for (track, _), prediction in self.predictor.predict_pieces(self._pieces(clips)):
            yield track, prediction

    def _pieces(self, clips: Iterable[TrackClip]) -> Iterator[Piece]:
        card = self.predictor.card
        size = (card.clip_length, card.height, card.width, 3)
        seen: dict[int, tuple[int, int]] = {}  # track -> number of its first clip, frames so far
        for number, clip in enumerate(clips):
            if clip.pixels.shape != size:
                raise InputError(
                    f"track {clip.track}: expected clips of {size}, which are the predictor's clip_length, height and "
                    f"width, got {clip.pixels.shape}"
                )
            first, before = seen.pop(clip.track, (number, 0))
            after = before + len(clip.frames)
            if not clip.ends:
                seen[clip.track] = first, after
            places = before + np.arange(card.clip_length) % len(clip.frames)
            # the first clip tells a track from a later one under the same number
            yield Piece((clip.track, first), places, partial(_copy, clip.pixels), after if clip.ends else 0)


def frames_of_a_batch(device: str | torch.device, card: ModelCard) -> int:
    """How many frames are judged at once, where nobody says so."""
    few = checked_device(device).type == "cpu"
    return max(1, min(MAX_FRAMES, CPU_PIXELS // (card.height * card.width))) if few else MAX_FRAMES


def checked_device(device: str | torch.device) -> torch.device:
    """The device, if it is there."""
    try:
        return torch.empty(0, device=device).device
    except (RuntimeError, AssertionError) as error:
        raise ConfigError(
            f"device {str(device)!r} cannot be used here ({summary(error)}); take 'cpu'"
        ) from error


def _counts(valid: NDArray[Any] | Sequence[int] | None, clips: int, length: int) -> NDArray[np.int64]:
    """Frames of each clip that count, ``(B,)``."""
    given = np.full(clips, length) if valid is None else np.asarray(valid)
    masks = given.dtype == bool
    counts = given.sum(axis=1) if masks and given.ndim == 2 else given
    if counts.shape != (clips,) or (masks and given.shape != (clips, length)):
        raise InputError(f"expected valid of shape ({clips}, {length}) or ({clips},), got {given.shape}")
    if not np.issubdtype(counts.dtype, np.integer) or (
        clips and not 1 <= counts.min() <= counts.max() <= length
    ):
        raise InputError(f"expected 1 to {length} valid frames in each clip, got {counts.tolist()}")
    if masks and not np.array_equal(given, np.arange(length) < counts[:, None]):
        raise InputError("expected the valid frames of each clip before the others, got a mask with gaps")
    return counts.astype(np.int64)


def _copy(pixels: NDArray[np.uint8], out: NDArray[np.uint8]) -> None:
    out[:] = pixels
