"""The kernels in C of ``firmware/native``: a module for each file, ``mfcc_kernels`` for ``mfcc.c``."""

import _native


class Kernels:
    """Functions of two addresses: numbers and buffers."""


def add_to(modules):
    for path in _native.names.split():
        library, name = path.split(".")
        library += "_kernels"
        if library not in modules:
            modules[library] = Kernels()
        setattr(modules[library], name, getattr(_native, path))
