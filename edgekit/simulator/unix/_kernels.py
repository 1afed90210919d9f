"""The C kernels are built for WebAssembly: here programs find none, and the readable ones do the work."""


def add_to(modules):
    pass
