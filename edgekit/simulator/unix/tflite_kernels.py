"""The C kernels are built for WebAssembly: here programs find none, and ``kernels_reference`` does the work."""
