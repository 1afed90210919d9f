"""The kernels in C on this computer: a file ``firmware/native/NAME.wasm`` in a memory of its own.

A kernel is a function of two addresses: its numbers (int32) and the addresses of its buffers.

>>> hasattr(Wasm("tflite").functions, "softmax")
True
"""

import atexit
import ctypes
import functools
import threading

from edgekit.paths import FIRMWARE

__all__ = ["Wasm"]

_PAGE = 65536
_ALIGNMENT = 16
_LOCK = threading.RLock()


@functools.cache
def _module(name):
    import wasmtime
    return wasmtime.Module.from_file(_engine(), str(FIRMWARE / "native" / f"{name}.wasm"))


@functools.cache
def _engine():
    import wasmtime
    return wasmtime.Engine()


# Before the interpreter takes away what their end needs.
atexit.register(_engine.cache_clear)
atexit.register(_module.cache_clear)


class Wasm:
    """The kernels of one C file, and the memory they work on. It lives as long as any view of it.

    Parameters
    ----------
    name : str
        Of the file without its ending: ``"tflite"``, ``"mfcc"``, ``"classic"``.

    Attributes
    ----------
    functions : object
        One attribute for each kernel, for :meth:`call`.
    """

    def __init__(self, name: str):
        import wasmtime
        with _LOCK:  # threads that begin together shall share one engine
            engine, module = _engine(), _module(name)
        self._store = wasmtime.Store(engine)
        self._memory = wasmtime.Memory(self._store, wasmtime.MemoryType(wasmtime.Limits(1, None)))
        exports = wasmtime.Instance(self._store, module, [self._memory]).exports(self._store)
        self.functions = type("Functions", (), {name: exports[name] for name in exports})
        self._base = self._start()
        self._used = _ALIGNMENT  # address 0 stays free

    def _start(self):
        return ctypes.addressof(self._memory.data_ptr(self._store).contents)

    def place(self, buffer) -> memoryview:
        """A copy of a buffer in the kernels' memory, of the same format."""
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
        """Where a placed buffer is, as the kernels count."""
        return ctypes.addressof(ctypes.c_ubyte.from_buffer(buffer)) - self._base if len(buffer) else 0

    def call(self, function, numbers: int, addresses: int, keep=None):
        """A function without arguments that calls a kernel.

        Parameters
        ----------
        function : object
            Of :attr:`functions`.
        numbers, addresses : int
            Addresses of the kernel's numbers and of the addresses of its buffers.
        keep : object, optional
            What must live as long.
        """
        store = self._store
        return lambda keep=keep: function(store, numbers, addresses)
