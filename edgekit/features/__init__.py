"""From windows of samples to the numbers a model reads: one definition for the computer and the board."""

from edgekit.features.params import FeatureParams

__all__ = ["FeatureParams"]
