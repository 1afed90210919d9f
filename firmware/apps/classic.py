"""Recognise with a classical model: sensor, window, summary features, tree or forest or line, decision, LED.

On the board, with a file that ``edgekit.convert.to_board`` has made of a scikit-learn model::

    from apps.classic import main
    main("/models/forest.bin")

One that was trained on an accelerometer alone, 8192 counts for 1 g, at 50 Hz::

    main("/models/walk.bin", rate_hz=50, channels=3, rest="sitting")
"""

import time
from array import array

import boards
import classic
from motion import Summary


def main(path="/models/classic.bin", windows=None, agree=3, stride=32, rest="idle", rate_hz=100, window=128, channels=6):
    """Print what is recognised, for ever or for a number of ``windows``.

    ``path``: the model, trained on the summary features; with other columns it is refused by name. ``agree``: so many
    windows, one after the other, must say the same. ``stride``: samples from window to window. ``rate_hz``, ``window``,
    ``channels``: as in the FeatureParams of training; 3 channels leave the gyroscope out.
    """
    model = classic.load_model(path)
    summary = Summary({"window": window, "channels": channels, "rate_hz": rate_hz})
    if model.columns is not None:
        model.check_columns(summary.names())
    features = array("i", bytes(4 * summary.size))
    imu = boards.accelerometer(rate_hz=rate_hz)
    led = boards.led()
    missing = window  # samples until the first window is full
    step = channels * stride
    block = array("h", bytes(2 * 6 * stride))
    new = memoryview(block)[:step]
    window = array("h", bytes(2 * channels * window))
    view = memoryview(window)
    older, newer, latest = view[:-step], view[step:], view[-step:]
    seen = said = None
    same = 0
    start_ms = time.ticks_ms()
    imu.start()
    while windows is None or windows > 0:
        imu.read_block(block)
        if channels == 3:
            for i in range(step):
                block[i] = block[i // 3 * 6 + i % 3]
        older[:] = newer
        latest[:] = new
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
