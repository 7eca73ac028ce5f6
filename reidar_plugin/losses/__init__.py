"""Losses, one a file, and the objective that adds them up."""

from .action_centre import ActionCentreLoss, action_centre_loss
from .asymmetric import AsymmetricLoss, asymmetric_loss
from .attributes import AttributeLoss, attribute_loss, column_weights
from .binary_cross_entropy import BinaryCrossEntropy, binary_cross_entropy
from .class_balanced import ClassBalancedLoss, class_balanced_loss
from .discriminative_centroids import DiscriminativeCentroidsLoss, discriminative_centroids_loss
from .distribution_balanced import DistributionBalancedLoss, distribution_balanced_loss
from .erasing import ErasingLoss, erasing_loss
from .focal import FocalLoss, focal_loss
from .identity_centre import IdentityCentreLoss, identity_centre_loss
from .logit_adjustment import LogitAdjustedLoss, logit_adjusted_loss
from .objective import Objective
from .pose_motion import PoseMotionTriplet, pose_motion_triplet
from .ranked_list import RankedListLoss, ranked_list_loss
from .rising_weight import RisingWeight
from .smoothed_cross_entropy import SmoothedCrossEntropy, smoothed_cross_entropy
from .soft_mining import SoftMiningLoss, soft_mining_loss
from .terms import TERMS, Sizes, Term
from .triplet import TripletLoss, batch_hard_triplet_loss
from .weighted_binary_cross_entropy import WeightedBinaryCrossEntropy, weighted_binary_cross_entropy
from .weighted_regularisation import WeightedRegularisationTriplet, weighted_regularisation_triplet

__all__ = [
    "TERMS",
    "ActionCentreLoss",
    "AsymmetricLoss",
    "AttributeLoss",
    "BinaryCrossEntropy",
    "ClassBalancedLoss",
    "DiscriminativeCentroidsLoss",
    "DistributionBalancedLoss",
    "ErasingLoss",
    "FocalLoss",
    "IdentityCentreLoss",
    "LogitAdjustedLoss",
    "Objective",
    "PoseMotionTriplet",
    "RankedListLoss",
    "RisingWeight",
    "Sizes",
    "SmoothedCrossEntropy",
    "SoftMiningLoss",
    "Term",
    "TripletLoss",
    "WeightedBinaryCrossEntropy",
    "WeightedRegularisationTriplet",
    "action_centre_loss",
    "asymmetric_loss",
    "attribute_loss",
    "batch_hard_triplet_loss",
    "binary_cross_entropy",
    "class_balanced_loss",
    "column_weights",
    "discriminative_centroids_loss",
    "distribution_balanced_loss",
    "erasing_loss",
    "focal_loss",
    "identity_centre_loss",
    "logit_adjusted_loss",
    "pose_motion_triplet",
    "ranked_list_loss",
    "smoothed_cross_entropy",
    "soft_mining_loss",
    "weighted_binary_cross_entropy",
    "weighted_regularisation_triplet",
]
