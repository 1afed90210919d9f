"""How quick the kernel "MicroPython" is beside IPython's own: run ``python benchmarks/kernel.py``.

Times are this computer's, with the simulated board; both kernels are measured in turn, in the same run.
"""

import statistics
import time

from jupyter_client.manager import start_new_kernel

KERNELS = ("python3", "micropython")
STARTS = 5
CELLS = 20


class Kernel:
    """A running kernel and how long it took to answer for the first time."""

    def __init__(self, name):
        started = time.perf_counter()
        self.manager, self.client = start_new_kernel(kernel_name=name, startup_timeout=60)
        self.ready_s = time.perf_counter() - started

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.client.stop_channels()
        self.manager.shutdown_kernel()

    def cell_s(self, code, output=lambda message: None):
        """Seconds until a cell has ended."""
        started = time.perf_counter()
        reply = self.client.execute_interactive(code, output_hook=output, timeout=120)
        if reply["content"]["status"] != "ok":
            raise RuntimeError("\n".join(reply["content"]["traceback"]))
        return time.perf_counter() - started

    def asked_s(self, ask, *arguments):
        """Seconds until a question (completion, inspection) is answered."""
        started = time.perf_counter()
        question = ask(*arguments)
        while self.client.get_shell_msg(timeout=30)["parent_header"]["msg_id"] != question:
            pass
        return time.perf_counter() - started

    def many(self, code, count=CELLS):
        """Seconds of each of many runs of a cell."""
        return [self.cell_s(code) for _ in range(count)]


def row(what, found, scale=1e3, unit="ms"):
    """One line: the median for each kernel, and the best."""
    cells = [f"{statistics.median(seconds) * scale:9.1f} {unit} (best {min(seconds) * scale:7.1f})" if seconds else ""
             for seconds in found]
    print(f"{what:46}" + "".join(f"{cell:>30}" for cell in cells))


def main():
    """Print the table."""
    print(f"{'':46}" + "".join(f"{name:>30}" for name in KERNELS))
    ready, found = {name: [] for name in KERNELS}, {name: {} for name in KERNELS}
    for turn in range(STARTS):
        for name in KERNELS:
            with Kernel(name) as kernel:
                ready[name].append(kernel.ready_s)
                if turn < STARTS - 1:
                    continue
                results = found[name]
                results["first cell (the board starts)"] = [kernel.cell_s("pass")]
                results["empty cell"] = kernel.many("")
                results["pass"] = kernel.many("pass")
                results["an expression"] = kernel.many("6 * 7")
                results["print 10,000 lines"] = kernel.many("for i in range(10000):\n    print(i)", 5)
                results["print 100 kB"] = kernel.many("print('x' * 100000)", 5)
                kernel.cell_s("import time")
                results["Tab: time.sl"] = [kernel.asked_s(kernel.client.complete, "time.sl", 7) for _ in range(CELLS)]
                results["shift-tab: time.sleep"] = [kernel.asked_s(kernel.client.inspect, "time.sleep", 10) for _ in range(CELLS)]
                if name == "micropython":
                    plot(kernel, results)
    row("ready", [ready[name] for name in KERNELS], 1, "s")
    for what in found["micropython"]:
        row(what, [found[name].get(what) for name in KERNELS])


def plot(kernel, results):
    """Four seconds of 100 lines a second with six values each."""
    kernel.cell_s("%connect sim clock=real")
    kernel.cell_s("%plot\nprint(1)")        # loads matplotlib
    pictures = []

    def output(message):
        if "display_data" in message["msg_type"]:
            pictures.append(time.perf_counter())

    line = ", ".join(f"'{name}', math.sin(i / {20 + n})" for n, name in enumerate(("ax", "ay", "az", "gx", "gy", "gz")))
    code = f"import math, time\nfor i in range(400):\n    print({line})\n    time.sleep_ms(10)"
    results["400 lines x 6 values, 10 ms apart"] = [kernel.cell_s(code)]
    results["the same with %plot"] = [kernel.cell_s("%plot\n" + code, output)]
    results["between two pictures of %plot"] = [b - a for a, b in zip(pictures, pictures[1:], strict=False)]


if __name__ == "__main__":
    main()
