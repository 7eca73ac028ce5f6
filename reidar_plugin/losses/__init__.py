"""Losses, one a file, and the objective that adds them up."""

from reidar_plugin.losses.action_centre import ActionCentreLoss, action_centre_loss
from reidar_plugin.losses.asymmetric import AsymmetricLoss, asymmetric_loss
from reidar_plugin.losses.attributes import AttributeLoss, attribute_loss, column_weights
from reidar_plugin.losses.binary_cross_entropy import BinaryCrossEntropy, binary_cross_entropy
from reidar_plugin.losses.class_balanced import ClassBalancedLoss, class_balanced_loss
from reidar_plugin.losses.discriminative_centroids import (
    DiscriminativeCentroidsLoss,
    discriminative_centroids_loss,
)
from reidar_plugin.losses.distribution_balanced import DistributionBalancedLoss, distribution_balanced_loss
from reidar_plugin.losses.erasing import ErasingLoss, erasing_loss
from reidar_plugin.losses.focal import FocalLoss, focal_loss
from reidar_plugin.losses.identity_centre import IdentityCentreLoss, identity_centre_loss
from reidar_plugin.losses.logit_adjustment import LogitAdjustedLoss, logit_adjusted_loss
from reidar_plugin.losses.objective import Objective
from reidar_plugin.losses.pose_motion import PoseMotionTriplet, pose_motion_triplet
from reidar_plugin.losses.ranked_list import RankedListLoss, ranked_list_loss
from reidar_plugin.losses.rising_weight import RisingWeight
from reidar_plugin.losses.side_weights import ActionRamp, Uncertainty
from reidar_plugin.losses.smoothed_cross_entropy import SmoothedCrossEntropy, smoothed_cross_entropy
from reidar_plugin.losses.soft_mining import SoftMiningLoss, soft_mining_loss
from reidar_plugin.losses.terms import TERMS, Sizes, Term
from reidar_plugin.losses.triplet import TripletLoss, batch_hard_triplet_loss
from reidar_plugin.losses.weighted_binary_cross_entropy import (
    WeightedBinaryCrossEntropy,
    weighted_binary_cross_entropy,
)
from reidar_plugin.losses.weighted_regularisation import (
    WeightedRegularisationTriplet,
    weighted_regularisation_triplet,
)

__all__ = [
    "TERMS",
    "ActionCentreLoss",
    "ActionRamp",
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
    "Uncertainty",
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
