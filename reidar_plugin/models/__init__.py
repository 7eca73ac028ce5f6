"""The joint model and its parts, ASA-Net, weights from outside."""
