"""The Jupyter kernel "MicroPython": IPython's own kernel whose plain cells run on the board."""
