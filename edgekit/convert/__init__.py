"""Convert trained models to what a board runs."""

from edgekit.convert.classic import load_classic, to_board
from edgekit.convert.lite import operators, run, runs_on_board, table, to_tflite

__all__ = ["to_tflite", "table", "run", "operators", "runs_on_board", "to_board", "load_classic"]
