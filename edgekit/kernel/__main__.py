"""Jupyter starts the kernel with ``python -m edgekit.kernel -f CONNECTION_FILE``."""

from ipykernel.kernelapp import IPKernelApp

from edgekit.kernel.kernel import MicroPythonKernel

if __name__ == "__main__":
    IPKernelApp.launch_instance(kernel_class=MicroPythonKernel)
