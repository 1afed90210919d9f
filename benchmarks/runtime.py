"""The runtime's time and memory, model by model. Run: ``.venv/bin/python benchmarks/runtime.py [MODEL.tflite ...]``

Times are of this computer: also those of the simulated board, which runs MicroPython in WebAssembly. None is a time of
a real board. Each is the shortest of several runs. Equality to LiteRT's reference kernels is checked on the way.
Memory of a loaded model beside file and arena is measured on the simulated board, after a collection: with the kernels
in C, and with those in Python.
"""

import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter as LiteRT
from ai_edge_litert.interpreter import OpResolverType

from edgekit import tflite
from edgekit.board.profiles import get_profile
from edgekit.board.simulated import SimulatedBoard
from edgekit.paths import MODELS, ROOT

_HEAD = (("model", 22), ("MACs", 10), ("file", 9), ("arena", 8), ("beside", 8), ("Python", 8), ("load", 9), ("sim C", 10),
         ("sim Python", 11), ("ratio", 7), ("host C", 10), ("host Python", 12), ("LiteRT ref", 11), ("LiteRT", 9),
         ("C/LiteRT ref", 13), ("equal", 6))


def best_ms(run, seconds=0.5, most=200):
    """Shortest time of a call (ms), tried for some time."""
    times = []
    end = time.perf_counter() + seconds
    while len(times) < 3 or (time.perf_counter() < end and len(times) < most):
        started = time.perf_counter()
        run()
        times.append(time.perf_counter() - started)
    return 1000 * min(times)


def litert(data, x, resolver):
    """A call of LiteRT, loaded before, and its answer."""
    runner = LiteRT(model_content=data, experimental_op_resolver_type=resolver)
    runner.allocate_tensors()
    into, out = runner.get_input_details()[0], runner.get_output_details()[0]
    runner.set_tensor(into["index"], x.reshape(into["shape"]))
    runner.invoke()
    return runner.invoke, runner.get_tensor(out["index"]).reshape(-1).copy()


def on_board(board, kernels, x, repeat):
    """Load and run there: (load ms, invoke ms, outputs, bytes of heap beside file and arena)."""
    def free():
        board.exec("gc.collect()")
        return board.eval("gc.mem_free()")

    load_ms = best_ms(lambda: board.exec(f"model = tflm.load_model('/models/test.tflite', {kernels})"), 0.2)
    counts = []
    for _ in range(3):
        # A collection may keep what only looks like an address: the smallest count is the true one.
        board.exec("model = None")
        before = free()
        board.exec(f"model = tflm.load_model('/models/test.tflite', {kernels})")
        counts.append(before - free() - board.eval("model.arena_bytes + len(model.data)"))
    board.exec(f"model.set_input({x.tobytes()!r})\nmodel.invoke()")
    outputs = np.frombuffer(board.eval("bytes(model.output)"), np.int8)
    invoke_ms = best_ms(lambda: board.exec(f"for _ in range({repeat}): model.invoke()"), 0.3, 20) / repeat
    return load_ms, invoke_ms, outputs, min(counts)


def main(paths):
    shared = ROOT.parent / "shared" / "models"
    paths = paths or [MODELS / "gesture_int8.tflite", *sorted(shared.glob("*int8.tflite")),
                      *sorted(shared.glob("kws*.tflite"))]
    print("times in ms of this computer, memory in bytes")
    print("".join(f"{name:>{width}}" if i else f"{name:<{width}}" for i, (name, width) in enumerate(_HEAD)))
    # Memory for every model, more than an ESP32 has.
    with SimulatedBoard(replace(get_profile("esp32"), heap_bytes=1_500_000)) as board:
        board.install("replay")
        board.exec("import gc\nimport tflite_micro as tflm")
        for path in map(Path, paths):
            data = path.read_bytes()
            fast, slow = tflite.Interpreter(data), tflite.Interpreter(data, kernels="python")
            x = np.random.default_rng(0).integers(-128, 128, int(np.prod(fast.input_shape)), dtype=np.int8)
            reference, expected = litert(data, x, OpResolverType.BUILTIN_REF)
            default, _ = litert(data, x, OpResolverType.AUTO)
            board.put(data, "/models/test.tflite")
            _, python_ms, python, beside_python = on_board(board, False, x, 1)
            load_ms, c_ms, c, beside = on_board(board, None, x, max(1, min(200, 20_000_000 // max(1, fast.macs))))
            answers = (python, c, fast.invoke(x).reshape(-1), slow.invoke(x).reshape(-1))
            host_ms = best_ms(lambda model=fast.model: model.invoke())
            reference_ms = best_ms(reference)
            cells = (path.name[:21], f"{fast.macs:,}", f"{len(data):,}", f"{fast.arena_bytes:,}", f"{beside:,}",
                     f"{beside_python:,}", f"{load_ms:.0f}", f"{c_ms:.3f}", f"{python_ms:.1f}", f"{python_ms / c_ms:.0f}", f"{host_ms:.3f}",
                     f"{best_ms(lambda model=slow.model: model.invoke(), 0.3):.2f}", f"{reference_ms:.3f}",
                     f"{best_ms(default):.3f}", f"{host_ms / reference_ms:.2f}",
                     "yes" if all((answer == expected).all() for answer in answers) else "NO")
            print("".join(f"{cell:>{width}}" if i else f"{cell:<{width}}"
                          for i, (cell, (_, width)) in enumerate(zip(cells, _HEAD, strict=True))))


if __name__ == "__main__":
    main(sys.argv[1:])
