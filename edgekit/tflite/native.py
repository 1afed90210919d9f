"""The kernels in C on this computer: ``firmware/native/kernels.wasm`` in a memory of its own."""

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


class WasmKernels(board_module("tflite_micro").native.Kernels):
    """Kernels for one model; see ``firmware/lib/tflite_micro/native.py``.

    Parameters
    ----------
    most_bytes : int
        Size of their memory: the file, the arena and what belongs to the layers must fit in.
    """

    def __init__(self, most_bytes: int):
        import wasmtime
        engine, module = _module()
        self._store = wasmtime.Store(engine)
        pages = -(-most_bytes // _PAGE)
        memory = wasmtime.Memory(self._store, wasmtime.MemoryType(wasmtime.Limits(pages, pages)))
        instance = wasmtime.Instance(self._store, module, [memory])
        exports = instance.exports(self._store)
        self.functions = type("Functions", (), {name: exports[name] for name in exports})
        self._memory = memory
        self._base = ctypes.addressof(memory.data_ptr(self._store).contents)
        self._used = _ALIGNMENT  # address 0 stays free
        self._size = pages * _PAGE

    def place(self, buffer):
        view = memoryview(buffer)
        start = self._used
        self._used += -(-view.nbytes // _ALIGNMENT) * _ALIGNMENT
        if self._used > self._size:
            raise MemoryError
        copy = (ctypes.c_ubyte * view.nbytes).from_address(self._base + start)
        copy.memory = self._memory, self._store  # it lives as long as any view of it
        placed = memoryview(copy).cast("B")
        placed[:] = view.cast("B")
        return placed.cast(view.format) if view.format not in ("B", "<B") else placed

    def address(self, buffer) -> int:
        return ctypes.addressof(ctypes.c_ubyte.from_buffer(buffer)) - self._base if len(buffer) else 0

    def call(self, function, numbers, addresses, keep):
        store = self._store
        return lambda: function(store, numbers, addresses)
