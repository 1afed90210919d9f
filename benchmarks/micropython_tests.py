"""MicroPython's own test programs on the simulated board: how faithful it is.

    python benchmarks/micropython_tests.py CHECKOUT [FOLDER ...] [--engine wasm|unix] [--unittest FOLDER]

CHECKOUT is a copy of MicroPython's sources, of the version that the board runs. Each program of the folders (basics,
io, extmod, micropython) runs on a freshly reset board through :class:`edgekit.board.base.Board`; what it prints is
compared as MicroPython's ``tests/run-tests.py`` does it: with the ``.exp`` file beside it, else with what CPython
prints. As there, a program is skipped if it prints ``SKIP``, needs a feature that a feature check does not find, or
does not fit in the heap. The list of the build's known gaps in ``run-tests.py`` is *not* used: those programs run, and
fail. ``docs/micropython-tests.md`` says why each failing program fails; a failure without a line there is marked NEW.
"""

import argparse
import ast
import re
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from edgekit.board.simulated import SimulatedBoard
from edgekit.errors import BoardCodeError, BoardLostError, BoardRestartedError
from edgekit.paths import ROOT

FOLDERS = ("basics", "io", "extmod", "micropython")
REASONS = ROOT / "docs" / "micropython-tests.md"
TIMEOUT_S = 30  # longest silence, as in run-tests.py
# Feature checks of run-tests.py: program, what it prints if the feature is there, which programs need it.
FEATURES = (
    ("native_check", "native\n", r"^(native|viper)_"),
    ("int_big", "1" + 45 * "0" + "\n", r"^int_big|_intbig$|^ffi_int"),
    ("int_64", "4611686018427387904\n", r"^int_64|_int64$"),
    ("bytearray", "bytearray\n", r"^bytearray|_bytearray$"),
    ("set_check", "{1}\n", r"^set_|^frozenset|_set$"),
    ("slice", "slice\n", r"slice"),
    ("async_check", "async\n", r"^async_|^asyncio_|_async$"),
    ("const", "1\n", r"^const"),
    ("reverse_ops", "", r"reverse_op"),
    ("fstring", "a=1\n", r"^string_fstring"),
    ("byteorder", sys.byteorder + "\n", r"_endian$"),
    ("inlineasm_thumb", "thumb\n", r"^asm"),
)
# run-tests.py leaves them out on every board.
ON_PC_ONLY = {"basics/exception_chain": "a board does not print the warning",
              "micropython/meminfo": "the layout of the heap is not a PC's"}
_WITH_PATTERNS = {"micropython/meminfo", "basics/bytes_compare3", "basics/builtin_help"}


class Runner:
    """A board that is reset between programs, and replaced when one takes it down."""

    def __init__(self, tests, engine, unittest):
        self._settings = {"engine": engine} if engine else {}
        self._files = {f"/data/{path.name}": path for path in sorted((tests / "io" / "data").glob("*"))}
        if unittest:
            self._files["/lib/unittest.py"] = unittest
        self._board = None

    def run(self, program, announce=True):
        """What a program prints; "too large" if it does not fit; ``CRASH`` or ``TIMEOUT`` at the end as in run-tests.py."""
        board = self._fresh()
        code = program.read_text(encoding="utf-8")
        start = "print('START TEST')" if announce else ""
        start += "" if code.startswith("#") else "\n"
        said = []
        end = ""
        try:
            board.exec(start + code, on_output=said.append, timeout_s=TIMEOUT_S)
        except BoardCodeError as error:
            if announce and not said and "MemoryError" in error.traceback:
                return "too large"
            end = error.traceback + "CRASH"
        except BoardRestartedError:
            pass  # it raised SystemExit, as those do that skip themselves
        except BoardLostError as error:
            self.close()
            end = "TIMEOUT" if "within" in str(error) else f"CRASH {error}"
        return ("".join(said) + end).removeprefix("START TEST\n")

    def close(self):
        board, self._board = self._board, None
        if board:
            board.close()

    def _fresh(self):
        try:
            if self._board:
                self._board.reset()
        except BoardLostError:
            self.close()
        if not self._board:
            self._board = SimulatedBoard(**self._settings)
            for remote, local in self._files.items():
                self._board.put(local, remote)
        return self._board


def expected(program):
    """What the program must print."""
    file = program.with_name(program.name + ".exp")
    if file.exists():
        return file.read_bytes().replace(b"\r\n", b"\n").decode(errors="replace")
    done = subprocess.run([sys.executable, "-BS", str(program)], cwd=program.parent, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=60)
    text = done.stdout.replace(b"\r\n", b"\n").decode(errors="replace")
    return text if done.returncode == 0 else "CPYTHON3 CRASH:\n" + text


def with_patterns(wanted, got):
    """``wanted`` of the few programs whose .exp holds patterns: as it is if ``got`` fits it."""
    parts = ["(?:.*\n)*?" if line == "########\n" else _pattern(line) for line in wanted.splitlines(keepends=True)]
    return got if re.fullmatch("".join(parts), got) else wanted


def _pattern(line):
    # There, a special character has its meaning only behind a backslash.
    return re.sub(r"\\?.", lambda m: m[0][1:] if len(m[0]) == 2 else re.escape(m[0]), line.rstrip("\n")) + "\n"


def judge(runner, program, name, missing):
    """("pass" | "fail" | "skip", why)."""
    if name in ON_PC_ONLY:
        return "skip", ON_PC_ONLY[name]
    for feature in missing:
        if re.search(feature[2], program.stem):
            return "skip", f"no {feature[0]}"
    got = runner.run(program)
    if got in ("SKIP\n", "too large"):
        return "skip", got.strip()
    summary = re.search(r"-{70}\nRan \d+ tests\n\n(OK( \(skipped=\d+\))?|FAILED .*)\n$", got)
    if summary:
        failed = re.findall(r"^(?:FAIL|ERROR): (.*)", got, re.M)
        return ("pass", "") if summary[1].startswith("OK") else ("fail", f"{summary[1]}: {', '.join(failed)}")
    wanted = expected(program)
    if name in _WITH_PATTERNS:
        wanted = with_patterns(wanted, got)
    return ("pass", "") if got == wanted else ("fail", difference(wanted, got))


def difference(wanted, got):
    """The first line that differs, and the error that ended the program."""
    got_lines, wanted_lines = got.splitlines(), wanted.splitlines()
    at = next((i for i, (a, b) in enumerate(zip(wanted_lines, got_lines, strict=False)) if a != b),
              min(len(wanted_lines), len(got_lines)))
    a, b = (lines[at] if at < len(lines) else "(end)" for lines in (wanted_lines, got_lines))
    error = f"; ended with {got_lines[-2] if got_lines[-1] == 'CRASH' and len(got_lines) > 1 else got_lines[-1]}" \
        if got.endswith(("CRASH", "TIMEOUT")) or "CRASH " in got else ""
    return f"line {at + 1}: expected {a[:60]!r}, got {b[:60]!r}{error[:120]}"


def their_known_gaps(checkout):
    """Programs that run-tests.py itself leaves out for the WebAssembly build."""
    tree = ast.parse((checkout / "tests" / "run-tests.py").read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "platform_tests_to_skip":
            return {name.removesuffix(".py") for name in ast.literal_eval(node.value).get("webassembly", ())}
    return set()


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkout", type=Path)
    parser.add_argument("folders", nargs="*", metavar="FOLDER or FOLDER/PROGRAM")
    parser.add_argument("--engine", choices=("wasm", "unix"))
    parser.add_argument("--unittest", type=Path, help="unittest/__init__.py of micropython-lib, for programs that need it")
    options = parser.parse_args(arguments)
    tests = options.checkout.resolve() / "tests"
    gaps = their_known_gaps(options.checkout.resolve())
    known = REASONS.read_text(encoding="utf-8") if REASONS.exists() else ""
    runner = Runner(tests, options.engine, options.unittest)
    counts = {}
    started = time.monotonic()
    try:
        missing = [feature for feature in FEATURES
                   if runner.run(tests / "feature_check" / f"{feature[0]}.py", announce=False) != feature[1]]
        print("features that are not there:", ", ".join(feature[0] for feature in missing) or "none")
        for folder in options.folders or FOLDERS:
            path = tests / folder
            programs = sorted(path.glob("*.py")) if path.is_dir() else [path.with_suffix(".py")]
            for program in programs:
                name = program.relative_to(tests).with_suffix("").as_posix()
                verdict, why = judge(runner, program, name, missing)
                counts.setdefault(program.parent.name, Counter())[verdict] += 1
                if verdict != "pass":
                    theirs = " (left out by run-tests.py for this build)" if name in gaps and verdict == "fail" else ""
                    new = "NEW " if verdict == "fail" and f"`{name}`" not in known else ""
                    print(f"{new}{verdict} {name}: {why}{theirs}", flush=True)
    finally:
        runner.close()
    total = Counter()
    print(f"\n{'folder':14}{'passed':>8}{'failed':>8}{'skipped':>9}{'pass rate':>11}")
    for folder, count in counts.items():
        total += count
        print(row(folder, count))
    print(row("all", total), f"  in {time.monotonic() - started:.0f} s")
    return 0


def row(name, count):
    ran = count["pass"] + count["fail"]
    rate = 100 * count["pass"] / ran if ran else 0
    return f"{name:14}{count['pass']:8}{count['fail']:8}{count['skip']:9}{rate:9.1f} %"


if __name__ == "__main__":
    sys.exit(main())
