"""MFCC: speed on this computer, distance to the floats, cost of a frame. Run: ``.venv/bin/python benchmarks/mfcc.py``

Three tables.

1. A second of sound on this computer: librosa clip by clip, and this project's batch, in turns in the same run. The shortest
   of several runs counts. "wall" is what one waits for, on all cores; "CPU" is the work, added over the cores.
2. Distance of the fixed-point features to librosa's floats over the whole shipped keyword set: the dry words, also 40 dB
   quieter, and 1,000 clips of them in rooms and noise for each range of SNR.
3. A frame of ``firmware/native/mfcc.c`` in operations. The instructions are counted exactly, in WebAssembly without SIMD;
   the time on a board is estimated from them: nothing was measured on a board. The Python of ``firmware/lib/mfcc.py``
   runs on the simulated board; that time is one of this computer.
"""

import subprocess
import sys
import tempfile
import time
from array import array
from pathlib import Path

import numpy as np

from edgekit.board.profiles import PROFILES
from edgekit.board.simulated import SimulatedBoard
from edgekit.dataset import load_dataset
from edgekit.features import AudioParams
from edgekit.features.mfcc import dct_matrix, log_mel_db, mfcc, mfcc_float, tables, to_db
from edgekit.paths import FIRMWARE
from edgekit.signals.speech import clips

PARAMS = AudioParams()
# Cycles for one instruction of WebAssembly. It has more of them than a machine (each value is fetched by an instruction of
# its own), which a machine without cache spends on loads of two cycles and on jumps. Cortex-M0+: few registers.
_CYCLES = {"rp2040": 2.0}


def librosa_mfcc(clip):
    """One clip: the same frames, from librosa."""
    import librosa

    side = (PARAMS.fft - PARAMS.window) // 2
    return librosa.feature.mfcc(
        y=np.pad(clip, side), sr=PARAMS.rate_hz, n_mfcc=PARAMS.coefficients, n_fft=PARAMS.fft, win_length=PARAMS.window,
        hop_length=PARAMS.hop, n_mels=PARAMS.mel_bands, fmin=PARAMS.low_hz, fmax=PARAMS.high_hz, center=False).T


def speed(sound, runs=8):
    """Times per clip: name, wall (us), CPU (us)."""
    floats = [clip.astype(np.float32) / 32768 for clip in sound[:100]]
    ways = {
        "librosa, clip by clip": (lambda: [librosa_mfcc(clip) for clip in floats], len(floats)),
        "floats, batch (mfcc_float)": (lambda: mfcc_float(sound[:200], PARAMS), len(sound[:200])),
        "integers, numpy": (lambda: mfcc(sound[:200], PARAMS, kernels="python"), len(sound[:200])),
        "integers, batch (mfcc)": (lambda: mfcc(sound, PARAMS), len(sound)),
    }
    best = {name: [np.inf, np.inf] for name in ways}
    for _ in range(runs):
        for name, (run, count) in ways.items():
            wall, cpu = time.perf_counter(), time.process_time()
            run()
            took = time.perf_counter() - wall, time.process_time() - cpu
            best[name] = [min(now, 1e6 * new / count) for now, new in zip(best[name], took, strict=True)]
    return best


def distance(sound):
    """Log mel and coefficients of the integers against librosa's: rms, 99th percentile, largest (dB)."""
    import librosa

    side = (PARAMS.fft - PARAMS.window) // 2
    mel = librosa.feature.melspectrogram(
        y=np.pad(sound / 32768, [(0, 0), (side, side)]), sr=PARAMS.rate_hz, n_fft=PARAMS.fft, win_length=PARAMS.window,
        hop_length=PARAMS.hop, n_mels=PARAMS.mel_bands, fmin=PARAMS.low_hz, fmax=PARAMS.high_hz, center=False)
    reference = librosa.power_to_db(mel, amin=10.0 ** (PARAMS.floor_db / 10), top_db=None).swapaxes(1, 2)
    log_mel = log_mel_db(sound, PARAMS)
    before, coefficients = log_mel @ dct_matrix(PARAMS).T, reference @ dct_matrix(PARAMS).T
    after = to_db(mfcc(sound, PARAMS), PARAMS)
    inside = np.abs(mfcc(sound, PARAMS) + 0.5) < 127       # not clipped
    return (log_mel - reference, before - coefficients, (after - coefficients)[inside], 1 - inside.mean())


def instructions():
    """Instructions of one call of ``push``, counted by wasmtime's fuel in a build without SIMD."""
    import wasmtime

    with tempfile.TemporaryDirectory() as folder:
        built = Path(folder) / "mfcc.wasm"
        subprocess.run([sys.executable, "-m", "ziglang", "cc", "-target", "wasm32-freestanding", "-O2", "-nostdlib",
                        "-fno-builtin", "-Wl,--no-entry", "-Wl,--import-memory", "-Wl,-z,stack-size=16", "-o", built,
                        FIRMWARE / "native" / "mfcc.c"], check=True)
        config = wasmtime.Config()
        config.consume_fuel = True
        engine = wasmtime.Engine(config)
        module = wasmtime.Module.from_file(engine, str(built))
    store = wasmtime.Store(engine)
    memory = wasmtime.Memory(store, wasmtime.MemoryType(wasmtime.Limits(1, None)))
    push = wasmtime.Instance(store, module, [memory]).exports(store)["push"]
    hop = np.random.default_rng(0).normal(0, 1000, PARAMS.hop).astype(np.int16)
    at, addresses = 16, []
    for content in (tables(PARAMS), hop.tobytes(), bytes(2 * PARAMS.fft), bytes(2 * PARAMS.fft),
                    bytes(PARAMS.frames * PARAMS.coefficients), bytes(2 * PARAMS.window)):
        memory.write(store, content, at)
        addresses.append(at)
        at += -(-len(content) // 16) * 16
    memory.write(store, array("i", [PARAMS.frames]).tobytes(), at)
    memory.write(store, array("I", addresses).tobytes(), at + 16)
    counts = []
    for _ in range(3):                      # until the history is full
        store.set_fuel(10 ** 9)
        push(store, at, at + 16)
        counts.append(10 ** 9 - store.get_fuel())
    return counts[-1]


def frame_ms(profile, count):
    """Estimated time of so many instructions on a board (ms)."""
    return 1000 * count * _CYCLES.get(profile.name, 1.0) / profile.clock_hz


def multiplications():
    """Of one frame, step by step."""
    half, passes = PARAMS.fft // 2, {128: 3, 256: 4, 512: 4}[PARAMS.fft // 2]
    header = np.frombuffer(tables(PARAMS), "<i4", 19)
    return {"window": PARAMS.window, "FFT": passes * half // 4 * 12, "taken apart, power": half // 2 * 8,
            "mel bank": 2 * int(header[17]), "log": PARAMS.mel_bands, "DCT": PARAMS.mel_bands * PARAMS.coefficients}


def on_the_simulated_board():
    """Time of a hop (ms) in C and in Python, and what it allocates (bytes)."""
    found = []
    with SimulatedBoard() as board:
        for name in ("fft.py", "mfcc.py"):
            board.put(FIRMWARE / "lib" / name, f"/lib/{name}")
        board.put(tables(PARAMS), "/mfcc.bin")
        board.exec(f"""
import gc
from array import array
from mfcc import Mfcc
hop = array('h', [(i * 7919) % 4001 - 2000 for i in range({PARAMS.hop})])
def run(extractor, times):
    gc.collect()
    before = gc.mem_alloc()
    for _ in range(times):
        extractor.push(hop)
    return gc.mem_alloc() - before
""")
        for kernels, times in ((None, 500), (False, 20)):
            board.exec(f"extractor = Mfcc({PARAMS.to_dict()!r}, '/mfcc.bin', kernels={kernels})")
            best = np.inf
            for _ in range(3):
                start = time.perf_counter()
                taken = board.eval(f"run(extractor, {times})")
                best = min(best, 1000 * (time.perf_counter() - start) / times)
            found.append((best, taken))
    return found


def dry(words):
    """Each word alone, in the middle of a second."""
    sound = np.zeros((len(words.recordings), PARAMS.rate_hz), np.int16)
    for clip, recording in zip(sound, words.recordings, strict=True):
        at = (len(clip) - len(recording.samples)) // 2
        clip[at:at + len(recording.samples)] = recording.samples[:, 0]
    return sound


def main():
    words = load_dataset("keywords")
    sound = clips(words, 1000, seed=0, split="train", snr_db=(0, 40)).x

    times = speed(sound)
    reference = times["librosa, clip by clip"]
    print(f"1. A clip of 1 s, {PARAMS.frames} frames, on this computer (us)\n")
    print(f"{'':30}{'wall':>8}{'CPU':>8}{'librosa/this, wall':>21}{'CPU':>8}")
    for name, (wall, cpu) in times.items():
        print(f"{name:30}{wall:8.0f}{cpu:8.0f}{reference[0] / wall:21.1f}{reference[1] / cpu:8.1f}")

    print("\n2. Distance to librosa's floats, in dB (rms / 99 % below / largest)\n")
    print(f"{'sound':>18}  {'log mel':>24}  {'coefficients':>24}  {'as int8':>24}  {'clipped':>8}")
    sounds = {"dry words": dry(words), "40 dB quieter": np.rint(dry(words) / 100).astype(np.int16)}
    for low, high in ((30, 40), (20, 30), (10, 20), (0, 10)):
        sounds[f"SNR {low} to {high} dB"] = clips(words, 1000, seed=1, split=None, snr_db=(low, high)).x
    for name, sound in sounds.items():
        *differences, clipped = distance(sound)
        cells = [f"{np.sqrt((d ** 2).mean()):.3f} / {np.percentile(np.abs(d), 99):.3f} / {np.abs(d).max():.2f}"
                 for d in differences]
        print(f"{name:>18}  " + "  ".join(f"{cell:>24}" for cell in cells) + f"  {clipped:8.2%}")

    count, products = instructions(), multiplications()
    print(f"\n3. A frame of mfcc.c: {count:,} instructions of WebAssembly (counted), among them {sum(products.values()):,} "
          "multiplications:\n   " + ", ".join(f"{name} {number:,}" for name, number in products.items()) + "\n")
    hop_ms = 1000 * PARAMS.hop / PARAMS.rate_hz
    print(f"{'board':12}{'clock (MHz)':>12}{'estimated (ms)':>16}{f'of a {hop_ms:.0f} ms hop':>16}")
    for name, profile in PROFILES.items():
        ms = frame_ms(profile, count)
        print(f"{name:12}{profile.clock_hz / 1e6:12.0f}{ms:16.2f}{ms / hop_ms:16.1%}")
    for name, (ms, taken) in zip(("C", "Python"), on_the_simulated_board(), strict=True):
        print(f"simulated board, {name}: {ms:.2f} ms a hop on this computer, {taken} bytes allocated")


if __name__ == "__main__":
    main()
