"""The kernels in C on this computer: ``firmware/native/kernels.wasm`` in a memory of its own."""

import atexit
import ctypes
import functools

from edgekit.paths import FIRMWARE
from edgekit.twin import board_module

__all__ = ["WasmKernels"]

_PAGE = 65536
_ALIGNMENT = 16


@functools.cache
def _module():
    import wasmtime
    engine = wasmtime.Engine()
    return engine, wasmtime.Module.from_file(engine, str(FIRMWARE / "native" / "kernels.wasm"))


atexit.register(_module.cache_clear)  # before the interpreter takes away what its end needs


class WasmKernels(board_module("tflite_micro").native.Kernels):
    """Kernels for one model; see ``firmware/lib/tflite_micro/native.py``.

    Their memory holds the file, the arena and what belongs to the layers, and lives as long as any view of it.

    Examples
    --------
    >>> from edgekit.paths import MODELS
    >>> tflm = board_module("tflite_micro")
    >>> model = tflm.load_model((MODELS / "gesture_int8.tflite").read_bytes(), WasmKernels())
    >>> len(model.predict([0] * 192))
    6
    """

    def __init__(self):
        import wasmtime
        engine, module = _module()
        self._store = wasmtime.Store(engine)
        self._memory = wasmtime.Memory(self._store, wasmtime.MemoryType(wasmtime.Limits(1, None)))
        exports = wasmtime.Instance(self._store, module, [self._memory]).exports(self._store)
        self.functions = type("Functions", (), {name: exports[name] for name in exports})
        self._base = self._start()
        self._used = _ALIGNMENT  # address 0 stays free

    def _start(self):
        return ctypes.addressof(self._memory.data_ptr(self._store).contents)

    def place(self, buffer):
        """A copy of a buffer in the kernels' memory."""
        view = memoryview(buffer)
        start = self._used
        self._used += -(-view.nbytes // _ALIGNMENT) * _ALIGNMENT
        missing = self._used - self._memory.data_len(self._store)
        if missing > 0:
            self._memory.grow(self._store, -(-missing // _PAGE))
            # Views are addresses. The engine reserves room for growth, so that the memory stays where it is.
            assert self._start() == self._base
        copy = (ctypes.c_ubyte * view.nbytes).from_address(self._base + start)
        copy.memory = self._memory, self._store
        placed = memoryview(copy).cast("B")
        placed[:] = view.cast("B")
        return placed.cast(view.format) if view.format not in ("B", "<B") else placed

    def address(self, buffer) -> int:
        return ctypes.addressof(ctypes.c_ubyte.from_buffer(buffer)) - self._base if len(buffer) else 0

    def call(self, function, numbers, addresses, keep):
        store = self._store
        return lambda: function(store, numbers, addresses)
