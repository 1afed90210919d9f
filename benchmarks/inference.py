"""Time of one inference: simulated board, host twin, LiteRT. Run: ``.venv/bin/python benchmarks/inference.py``

Best of several runs. The simulated board's time is that of MicroPython in WebAssembly on this computer; it is no
time of a real board. Equality to LiteRT's reference is checked on the way.
"""

import sys
import time
from pathlib import Path

import numpy as np

import edgekit
from edgekit import tflite
from edgekit.board.install import compile_file, find_mpy_cross
from edgekit.convert.lite import interpreter
from edgekit.paths import FIRMWARE, MODELS, ROOT


def best_ms(run, runs=5):
    """Shortest of ``runs`` times (ms)."""
    times = []
    for _ in range(runs):
        started = time.perf_counter()
        run()
        times.append(time.perf_counter() - started)
    return 1000 * min(times)


def main(paths):
    shared = ROOT.parent / "shared" / "models"
    paths = paths or [MODELS / "gesture_int8.tflite", *sorted(shared.glob("*int8.tflite")),
                      *sorted(shared.glob("kws*.tflite"))]
    with edgekit.connect("sim") as board:
        print(f"{'model':<26}{'MACs':>10}{'simulated':>14}{'per MAC':>10}{'host twin':>12}{'LiteRT ref':>12}  equal")
        mpy_cross, _ = find_mpy_cross()
        for source in sorted((FIRMWARE / "lib" / "tflite_micro").glob("*.py")):
            board.put(compile_file(source, mpy_cross), f"/lib/tflite_micro/{source.stem}.mpy")
        board.exec("import tflite_micro as tflm")
        for path in map(Path, paths):
            model = tflite.Interpreter(path)
            x = np.random.default_rng(0).integers(-128, 128, model.input_shape[1:], dtype=np.int8)
            expected = tflite.reference(path, x)
            board.put(path, "/models/test.tflite")
            board.exec("model = tflm.load_model('/models/test.tflite')")
            board.exec(f"model.set_input({x.tobytes()!r})\nmodel.invoke()")
            found = np.frombuffer(board.eval("bytes(model.output)"), np.int8)
            equal = (found == expected.reshape(-1)).all() and (model.invoke(x) == expected).all()
            # Several in one go for small models, so that the way to the board does not count.
            repeat = max(1, 100_000 // model.macs)
            simulated = best_ms(lambda n=repeat: board.exec(f"for _ in range({n}): model.invoke()")) / repeat
            host = best_ms(lambda m=model, x=x: m.invoke(x))
            litert = best_ms(reference_runner(path, x))
            print(f"{path.name:<26}{model.macs:>10,}{simulated:>11.2f} ms{1000 * simulated / model.macs:>7.2f} us"
                  f"{host:>9.2f} ms{litert:>9.3f} ms  {'yes' if equal else 'NO'}")


def reference_runner(path, x):
    """A call of LiteRT's reference kernels, loaded before."""
    runner = interpreter(Path(path).read_bytes(), Path(path).name)
    into = runner.get_input_details()[0]
    runner.set_tensor(into["index"], x.reshape(into["shape"]))
    return runner.invoke


if __name__ == "__main__":
    main(sys.argv[1:])
