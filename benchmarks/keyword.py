"""The keyword model's figures, computed again: accuracy by noise and class, an hour of sound, host against board.

    .venv/bin/python benchmarks/keyword.py              # about two minutes
    .venv/bin/python benchmarks/keyword.py --clips 500  # the comparison with the simulated board over so many clips
    .venv/bin/python benchmarks/keyword.py --plot hour.png  # only a picture: false alarms against missed words in an hour

The first part is what ``datasets/models/keyword.md`` says; nothing is trained.
"""

import argparse
import time

from edgekit import connect, lab
from edgekit.course.build_keyword import figures
from edgekit.dataset import load_dataset
from edgekit.deploy import keyword_bundle, parity
from edgekit.signals.speech import clips, stream
from edgekit.spotting import operating_curve


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--clips", type=int, default=120, help="clips that host and board compute")
    parser.add_argument("--plot", metavar="FILE.png", help="draw the test voices' hour, nothing else")
    options = parser.parse_args()

    bundle, words = keyword_bundle(), load_dataset("keywords")
    if options.plot:
        curve = operating_curve(bundle, *stream(words, 3600, seed=11, split="test"))
        at = next(point for point in curve.points if point.threshold >= bundle.threshold)
        lab.plot_operating_curve({"an hour, test voices": curve},
                                 chosen=(at.false_accepts / curve.hours, at.missed / curve.words)).savefig(options.plot)
        print(curve.table().to_string(index=False))
        return
    with connect("sim", quiet=True) as board:
        bundle.deploy(board)
        sound = clips(words, options.clips, seed=21, split="test").x
        start = time.perf_counter()
        print(parity(board, bundle, sound))
        print(f"in {time.perf_counter() - start:.1f} s on this computer\n")
    print(figures(bundle.model, bundle.params, words))


if __name__ == "__main__":
    main()
