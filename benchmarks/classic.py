"""The digits forest of scikit-learn, 10 and 100 trees, by four programs on the same MicroPython in the same run.

Run: ``.venv/bin/python benchmarks/classic.py [TREES ...]``. The other programs are by other people and come with
``.venv/bin/uv pip install --python .venv/bin/python '.[benchmarks]'``; what is missing is named and left out.

- *this project*: ``edgekit.convert.to_board`` and ``firmware/lib/classic``, with its kernels in Python and in C
- *m2cgen*: the Python that ``m2cgen.export_to_python`` writes
- *everywhereml*: the MicroPython that ``to_micropython`` writes, from a forest of its own with the same settings
- *if-chain*: what one would write by hand: each tree nested ifs that return its class, and a vote

The last three are compiled to ``.mpy``, as one would do. All predict the same 200 test digits, and each answer is
compared with scikit-learn's. A plain vote is another definition than scikit-learn's mean of probabilities; with pure
leaves it differs where votes are equal.

Times are of this computer: the simulated board is MicroPython in WebAssembly, and none is a time of a real board. They
are the processor time of its process, the shortest of several runs. Where ``$EDGEKIT_MICROPYTHON`` names MicroPython for
this computer, it runs there too. Heap is what ``gc.mem_alloc`` counts more after loading: code and model. "module" is
the part of our library that this model needs, shared by all models; the others need none.
"""

import importlib.util
import os
import sys
import tempfile
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil

from edgekit.board.install import files_for
from edgekit.board.profiles import get_profile
from edgekit.board.simulated import SimulatedBoard
from edgekit.bytecode import compile_file
from edgekit.classical import report
from edgekit.convert import to_board
from edgekit.errors import BoardError

TRAIN, TEST, BATCH = 1200, 200, 20
_HEAD = (("program", 22), ("file", 9), ("module", 8), ("heap", 9), ("us/sample", 11), ("slower", 8), ("wrong", 7))


def digits():
    """Features 0 to 16 of 8 x 8 pixels, and the digit: training and test."""
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    return x[:TRAIN], y[:TRAIN], x[TRAIN:TRAIN + TEST], y[TRAIN:TRAIN + TEST]


def if_chain(forest):
    """Source of ``predict(x)``: each tree a function of nested ifs, and a vote."""
    lines = []

    def branch(tree, node, depth):
        pad = " " * depth
        if tree.children_left[node] < 0:
            lines.append(f"{pad}return {int(tree.value[node][0].argmax())}")
            return
        lines.append(f"{pad}if x[{tree.feature[node]}] <= {float(tree.threshold[node])!r}:")
        branch(tree, tree.children_left[node], depth + 1)
        branch(tree, tree.children_right[node], depth)

    for number, estimator in enumerate(forest.estimators_):
        lines.append(f"def tree{number}(x):")
        branch(estimator.tree_, 0, 1)
    trees = ", ".join(f"tree{i}" for i in range(len(forest.estimators_)))
    lines += [f"TREES = ({trees},)", "def predict(x):", f" votes = [0] * {len(forest.classes_)}", " for tree in TREES:",
              "  votes[tree(x)] += 1", " return votes.index(max(votes))"]
    return "\n".join(lines) + "\n"


def m2cgen_source(forest):
    """What m2cgen writes: ``score(x)`` gives the probabilities."""
    import m2cgen

    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(20_000)
    try:
        return m2cgen.export_to_python(forest) + "\ndef predict(x):\n p = score(x)\n return p.index(max(p))\n"
    finally:
        sys.setrecursionlimit(limit)


def everywhereml_source(forest, x, y):
    """What everywhereml writes, from a forest with the same settings and seed, so with the same trees."""
    from everywhereml.sklearn.ensemble import RandomForestClassifier

    theirs = RandomForestClassifier(n_estimators=len(forest.estimators_), random_state=forest.random_state)
    theirs.fit(x, y)
    return theirs.to_micropython() + "\npredict = RandomForestClassifier().predict\n"


def compiled(source):
    """``.mpy`` of a program; a forest of 100 trees needs a compiler with more memory than it takes by itself."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "program.py"
        path.write_text(source, encoding="utf-8")
        return compile_file(path, options=("-X", "heapsize=1000000000"))


def used(board):
    """Bytes of heap in use, after a collection."""
    board.exec("gc.collect()")
    return board.eval("gc.mem_alloc()")


def load(board, number, code, samples, expected):
    """Load program ``number`` and let it answer: (heap bytes, wrong answers)."""
    before = used(board)
    board.exec(f"{code}\nprograms[{number}] = (predict, {samples}[:{BATCH}])")
    heap = used(board) - before
    answers = []
    for first in range(0, TEST, BATCH):
        answers += board.eval(f"[int(predict(x)) for x in {samples}[{first}:{first + BATCH}]]")
        board.exec("gc.collect()")
    return heap, int((np.array(answers) != expected).sum())


def times_us(board, numbers, rounds):
    """Shortest time for a sample of each program (us). They take turns, so that a busy computer is so for all."""
    best = dict.fromkeys(numbers, float("inf"))
    repeats = {}
    for number in numbers:
        repeats[number] = 1
        while (took := seconds(board, number, repeats[number])) < 0.02 and repeats[number] < 5000:
            repeats[number] *= 2
    empty = min(seconds(board, numbers[0], 0) for _ in range(20))
    for _ in range(rounds):
        for number in numbers:
            took = seconds(board, number, repeats[number]) - empty
            best[number] = min(best[number], took / repeats[number])
    return {number: 1e6 * best[number] / BATCH for number in numbers}


def seconds(board, number, repeat):
    """Processor time that a program takes for ``repeat`` times the same few samples, with the way there and back."""
    board.exec("gc.collect()")
    started = processor_s(board)
    board.exec(f"run({number}, {repeat})")
    return processor_s(board) - started


def processor_s(board):
    """What the process that runs MicroPython has computed so far (s); what else this computer does is not in it."""
    process = board._transport.process.pid
    threads = list(Path(f"/proc/{process}/task").glob("*/schedstat"))
    if threads:  # Linux: in nanoseconds
        return sum(int(path.read_text().split()[0]) for path in threads) / 1e9
    times = psutil.Process(process).cpu_times()
    return times.user + times.system


def programs(forest, x, y):
    """The other programs: name, and what makes the source."""
    yield "m2cgen", lambda: m2cgen_source(forest)
    yield "everywhereml", lambda: everywhereml_source(forest, x, y)
    yield "if-chain", lambda: if_chain(forest)


def table(board, engine, trees, rounds):
    """Train, convert, run, print."""
    from sklearn.ensemble import RandomForestClassifier

    x, y, x_test, y_test = digits()
    forest = RandomForestClassifier(trees, random_state=0).fit(x, y)
    expected = forest.predict(x_test)
    nodes = sum(each.tree_.node_count for each in forest.estimators_)
    print(f"\n{trees} trees, {nodes} nodes, {np.mean(expected == y_test):.1%} of {TEST} digits right; "
          f"MicroPython {board.info.micropython}, {engine}")
    print("".join(f"{name:>{width}}" if i else f"{name:<{width}}" for i, (name, width) in enumerate(_HEAD)))
    rows = {}
    modules = {target: compile_file(source) for target, source in sorted(files_for(None).items())
               if target.startswith(("/lib/classic/", "/lib/classic."))}
    for target, data in modules.items():
        board.put(data, target)
    board.exec("import classic\nprograms = {}")
    for name in ("this project, C", "this project, Python", "this project, int16 C"):
        data = to_board(forest, dtype="int16" if "int16" in name else "float32")
        board.put(data, "/model.bin")
        code = f"predict = classic.load_model('/model.bin'{', False' if 'Python' in name else ''}).predict"
        rows[name] = [len(data), sum(report(data, []).program.values()), *load(board, len(rows), code, "ARRAYS", expected)]
    for name, make in programs(forest, x, y):
        try:
            data = compiled(make())
            board.put(data, "/lib/program.mpy")
            board.exec("import sys\nsys.modules.pop('program', None)")
            rows[name] = [len(data), 0, *load(board, len(rows), "from program import predict", "LISTS", expected)]
        except (ImportError, BoardError, MemoryError, RecursionError) as error:
            print(f"{name:<{_HEAD[0][1]}} left out: {type(error).__name__}: {str(error).strip().splitlines()[-1]}")
    for row, us in zip(rows.values(), times_us(board, list(range(len(rows))), rounds).values(), strict=True):
        row.append(us)
    board.exec("programs = predict = None")
    ours = rows["this project, C"][4]
    for name, (file_bytes, module, heap, wrong, us) in rows.items():
        cells = (f"{file_bytes:,}", f"{module:,}", f"{heap:,}", f"{us:,.2f}", f"{us / ours:.1f}x", f"{wrong}/{TEST}")
        print(f"{name:<{_HEAD[0][1]}}" + "".join(f"{cell:>{width}}" for cell, (_, width) in zip(cells, _HEAD[1:], strict=True)))
    for mine in ("this project, C", "this project, Python"):
        for other in [name for name in rows if not name.startswith("this project")]:
            print(f"{mine} against {other}: {rows[other][4] / rows[mine][4]:.1f} times as fast, file "
                  f"{rows[other][0] / rows[mine][0]:.1f} times as small (our module counted: "
                  f"{rows[other][0] / sum(rows[mine][:2]):.1f})")


def main(sizes, rounds=10):
    """Print the tables."""
    warnings.filterwarnings("ignore")
    for name in ("m2cgen", "everywhereml"):
        if importlib.util.find_spec(name) is None:
            print(f"{name} is not installed: it is left out. See the head of this file.")
    engines = ["wasm"] + ["unix"] * ("EDGEKIT_MICROPYTHON" in os.environ)
    # Memory for every program, more than a board has: what needs how much is in the table.
    profile = replace(get_profile("esp32"), heap_bytes=64_000_000, flash_bytes=32_000_000)
    _, _, x_test, _ = digits()
    for engine in engines:
        with SimulatedBoard(profile, engine=engine) as board:
            board.exec("import gc\nfrom array import array\nLISTS = []\nARRAYS = []")
            for first in range(0, TEST, 20):
                board.exec(f"LISTS += {x_test[first:first + 20].tolist()}")
            board.exec("ARRAYS = [array('f', x) for x in LISTS]\n"
                       "def run(number, times):\n predict, samples = programs[number]\n for _ in range(times):\n  for x in samples: predict(x)")
            for trees in sizes:
                table(board, engine, trees, rounds)


if __name__ == "__main__":
    main([int(size) for size in sys.argv[1:]] or [10, 100])
