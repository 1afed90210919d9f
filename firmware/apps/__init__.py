"""Whole programs for the board, each with a ``main(**settings)``."""
