"""What ``make test`` runs: the style, then every test, the notebooks included.

Words on the command line go to pytest: ``python -m edgekit.course.run_tests -k quiz``.
"""

import os
import subprocess
import sys

from edgekit.paths import ROOT

WORKERS = max(2, min(4, os.cpu_count() or 2))
CELL_TIMEOUT_S = 180
PLACES = ["notebooks", "solutions", "tests", "edgekit"]


def commands(extra: list[str] = ()) -> list[tuple[str, list[str]]]:
    """The commands, each with a title.

    Parameters
    ----------
    extra : list of str
        Given to pytest at the end.
    """
    return [
        ("Style", [sys.executable, "-m", "ruff", "check", "--quiet", "."]),
        (f"Tests and notebooks, {WORKERS} workers",
         # loadscope keeps a file on one worker: a notebook has one kernel. (loadgroup does not work with pytest 9.2.)
         [sys.executable, "-m", "pytest", *PLACES, "-n", str(WORKERS), "--dist", "loadscope", "--no-loadscope-reorder",
          "--nbval-lax", "--nbval-cell-timeout", str(CELL_TIMEOUT_S), "--durations", "12", *extra]),
    ]


def main(argv: list[str] | None = None) -> int:
    """Run all; stop at the first that fails.

    Returns
    -------
    int
        0 if all passed.
    """
    for title, command in commands(sys.argv[1:] if argv is None else argv):
        print(f"== {title}", flush=True)
        code = subprocess.run(command, cwd=ROOT).returncode
        if code:
            return code
    return 0


if __name__ == "__main__":
    sys.exit(main())
