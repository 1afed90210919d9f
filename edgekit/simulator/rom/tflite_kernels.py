"""The kernels in C of ``firmware/native``: functions of two addresses, for ``tflite_micro``."""

import _kernels

for _name in _kernels.names.split():
    globals()[_name] = getattr(_kernels, _name)
