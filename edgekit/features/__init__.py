"""From windows of samples to the numbers a model reads: one definition for the computer and the board."""

from edgekit.features.params import AudioParams, FeatureParams, load_params

__all__ = ["AudioParams", "FeatureParams", "load_params"]
