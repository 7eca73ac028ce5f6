"""What the parts of the package hand to each other: a batch of clips, the model's output, the targets of the losses.

Symbols: B clips in a batch, T frames in a clip, H x W pixels, K identities, D the size of a clip feature,
M actions, A attribute values (0 where the task has none), E the width of an action block.
"""

from typing import NamedTuple

from torch import Tensor

__all__ = ["ClipBatch", "JointOutput", "Targets"]


class ClipBatch(NamedTuple):
    """What a data worker returns: pixels as decoded, and the row of the tracklet table of each clip; nothing is computed."""

    frames: Tensor  #: uint8 ``(B, T, H, W, 3)``, RGB; in training only those of this rank's part of the clips
    pids: Tensor  #: int64 ``(B,)``
    camids: Tensor  #: int64 ``(B,)``
    labels: Tensor  #: float32 ``(B, M)`` multi-hot, a row of NaN where the actions are unknown
    attributes: Tensor  #: float32 ``(B, A)`` multi-hot, a row of NaN where the attributes are unknown
    tracklets: Tensor  #: int64 ``(B,)``, index of the tracklet in its list


class Targets(NamedTuple):
    """What the losses compare the model's output with."""

    pids: Tensor  #: int64 ``(B,)``
    labels: Tensor  #: float32 ``(B, M)`` multi-hot, NaN where unknown
    attributes: Tensor  #: float32 ``(B, A)`` multi-hot, NaN where unknown
    erased: Tensor  #: bool ``(B, T)``, frames that random erasing has touched


class JointOutput(NamedTuple):
    """What the joint model says of a batch of clips; everything that a loss or a metric may read."""

    logits: Tensor  #: ``(B, K)`` identity logits
    feature: Tensor  #: ``(B, D)`` clip feature after the BN neck, the one that retrieval compares
    pooled: Tensor  #: ``(B, D)`` clip feature before the BN neck
    scores: Tensor  #: ``(B, T)`` temporal scores before the softmax (ones where the pooling has none)
    attention: Tensor  #: ``(B, T)`` weights of the frames, sum 1
    action_logits: Tensor | None = None  #: ``(B, M)``; None without an action network
    action_hidden: Tensor | None = None  #: ``(B, M, E)`` features inside the action blocks
    class_vectors: Tensor | None = None  #: ``(K, D)`` rows of the identity classifier; None in evaluation
    attribute_logits: Tensor | None = None  #: ``(B, A)``; None without attribute branches
    pose_motion: Tensor | None = None  #: ``(B, G)`` feature that tells pose and motion; None likewise
    masks: Tensor | None = None  #: ``(B, T, R, h, w)``, where R attribute branches look; None likewise
    #: ``(B, M, T, h, w)``, sum 1 over T, h and w; None where actions read no maps
    action_attention: Tensor | None = None
    #: ``(B, P, K)`` logits of P branches whose features lie side by side in ``feature``; None where there is one
    branch_logits: Tensor | None = None
