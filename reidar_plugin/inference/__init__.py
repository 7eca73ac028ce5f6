"""A trained model at work: features and action likelihoods of tracklets."""
