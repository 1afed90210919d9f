"""Recognise with a classical model: sensor, window, fourteen features, tree or forest or line, decision, LED.

On the board, with a file that ``edgekit.convert.to_board`` has made of a scikit-learn model::

    from apps.classic import main
    main("/models/forest.bin")
"""

import time
from array import array

import boards
import classic
from motion import Summary

COLUMNS = ["mean_ax", "mean_ay", "mean_az", "variance_ax", "variance_ay", "variance_az", "energy_gyro", "zero_crossings",
           "range", "jerk", "band_1_3hz", "band_3_6hz", "band_6_12hz", "band_12_25hz"]


def main(path="/models/classic.bin", windows=None, agree=3, stride=32, rest="idle"):
    """Print what is recognised, for ever or for a number of ``windows``.

    ``path``: the model, trained on the summary features; with other columns it is refused by name. ``agree``: so many
    windows, one after the other, must say the same. ``stride``: samples from window to window.
    """
    model = classic.load_model(path)
    if model.columns is not None:
        model.check_columns(COLUMNS)
    summary = Summary({"window": 128, "channels": 6})
    features = array("i", bytes(4 * summary.size))
    imu = boards.accelerometer(rate_hz=100)
    led = boards.led()
    window = array("h", bytes(2 * 6 * 128))
    block = array("h", bytes(2 * 6 * stride))
    view = memoryview(window)
    older, newer, latest = view[:-len(block)], view[len(block):], view[-len(block):]
    missing = 128  # samples until the first window is full
    seen = said = None
    same = 0
    start_ms = time.ticks_ms()
    imu.start()
    while windows is None or windows > 0:
        imu.read_block(block)
        older[:] = newer
        latest[:] = block
        missing -= stride
        if missing > 0:
            continue
        if windows is not None:
            windows -= 1
        label = model.predict(summary.compute(window, features))
        same = same + 1 if label == seen else 1
        seen = label
        if same >= agree and label != said:
            said = label
            if label == rest:
                led.off()
            else:
                led.on()
                print("%6.2f s  %s" % (time.ticks_diff(time.ticks_ms(), start_ms) / 1000, label))
    led.off()
