"""Multi-label centre loss: the features of each action block are pulled to a learned centre of the action."""

from typing import Literal

import torch.nn.functional as F
from torch import Tensor

from reidar_plugin.losses.checks import check_centres, check_choice, in_float32, known_labels, masked_mean
from reidar_plugin.losses.learned_centres import LearnedCentres

__all__ = ["ActionCentreLoss", "action_centre_loss"]

Form = Literal["blocks", "summed"]


@in_float32
def action_centre_loss(hidden: Tensor, labels: Tensor, centres: Tensor, form: Form = "blocks") -> Tensor:
    r"""Mean squared distance between the features of each action that a clip shows and the centre of that action.

    .. math::
        L_{blocks} = \frac{1}{|Y|} \sum_{(i,j) \in Y} \lVert h_{ij} - c_j \rVert_2^2, \qquad
        L_{summed} = \frac{1}{|S|^2} \sum_{i \in S} \Bigl\lVert \sum_j h_{ij} - c_{y_i} \Bigr\rVert_2^2

    :math:`Y` is the set of pairs of a clip and an action it shows; unknown (NaN) labels are in no pair, and
    without any pair the loss is 0. The form "blocks" is what the paper means: 3C-Net compares one feature for
    each category present with the centre of that category, and here the block of an action computes that
    feature. The form "summed" is what the released code does: it adds up the features of all blocks, uses only
    the clips with exactly one action (:math:`S`), and divides the mean by their number once more.

    Reference: Narayan et al., 3C-Net, ICCV 2019; Re-ID-AR, eq. 5.

    Args:
        hidden: features inside the action blocks, ``(B, M, E)``.
        labels: multi-hot action labels, ``(B, M)``, NaN where unknown.
        centres: one centre for each action, ``(M, E)``.
        form: "blocks" (the paper) or "summed" (the released code).

    Returns:
        Scalar, float32 (float64 for float64 features).

    Example:
        >>> import torch
        >>> hidden = torch.tensor([[[3.0, 4.0], [1.0, 1.0]]])  # one clip, two action blocks
        >>> action_centre_loss(hidden, labels=torch.tensor([[1.0, 0.0]]), centres=torch.zeros(2, 2))
        tensor(25.)
    """
    if hidden.ndim != 3 or hidden.shape[:2] != labels.shape or len(centres) != hidden.shape[1]:
        raise ValueError(
            "expected hidden (B, M, E), labels (B, M) and centres (M, E), "
            f"got {tuple(hidden.shape)}, {tuple(labels.shape)} and {tuple(centres.shape)}"
        )
    check_centres(hidden, centres)
    check_choice("form", form, ("blocks", "summed"))
    shown = known_labels(labels, hidden)[0] > 0.5  # (B, M)
    if form == "blocks":
        return masked_mean((hidden - centres).square().sum(dim=2), shown)
    alone = shown.sum(dim=1) == 1  # (B,)
    own = F.embedding(shown.int().argmax(dim=1), centres)  # (B, E)
    squares = (hidden.sum(dim=1) - own).square().sum(dim=1)
    return masked_mean(squares, alone) / alone.sum().clamp(min=1)


class ActionCentreLoss(LearnedCentres):
    """Module form of :func:`action_centre_loss`; it owns the centres."""

    def __init__(self, num_actions: int, hidden_dim: int, form: Form = "blocks") -> None:
        super().__init__(num_actions, hidden_dim)
        check_choice("form", form, ("blocks", "summed"))
        self.form = form

    def forward(self, hidden: Tensor, labels: Tensor) -> Tensor:
        return action_centre_loss(hidden, labels, self.learning_centres(), self.form)
