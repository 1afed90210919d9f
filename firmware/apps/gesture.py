"""Recognise gestures and light the LED: sensor, window, features, model, decision, pin.

On the board, with a model that ``edgekit.deploy`` has put there::

    from apps.gesture import main
    main(frames=False)              # prints what it recognises
"""

import json
import sys
import time
from array import array

import boards
import bundle
import tflite_micro as tflm
from frames import EVENT, HEADER, RESULT, Encoder
from motion import transform_for
from trigger import Refractory, Smoother


def main(name="gesture", threshold=None, stride=None, smooth=3, quiet_ms=1500, rest="idle", max_windows=None,
         every_window=False, frames=True):
    """Recognise, for ever or for ``max_windows`` windows.

    ``threshold``: mean score from 0 to 1 that counts; ``stride``: samples from window to window; both by default
    as the bundle says. ``smooth``: windows that the mean is taken over. ``quiet_ms``: least time between two events.
    ``rest``: the class that is no gesture; an event needs a rest before it, so one gesture acts once.
    ``every_window``: also send the model's output for each window. ``frames``: False prints lines instead.
    """
    about = bundle.load(name)
    params = about["params"]
    classes = about["classes"]
    model = tflm.load_model(about["model"])
    transform = transform_for(params)
    imu = boards.accelerometer(rate_hz=params["rate_hz"])
    led = boards.led()
    relay = boards.relay()

    # All memory is taken here: the loop below fills these buffers again and again.
    block = array("h", bytes(2 * params["channels"] * (stride or params["stride"])))
    window = array("h", bytes(2 * params["channels"] * params["window"]))
    if len(block) > len(window):
        raise ValueError("the stride is longer than the window of %d samples" % params["window"])
    view = memoryview(window)
    older, newer, latest = view[:-len(block)], view[len(block):], view[-len(block):]
    missing = params["window"]  # samples until the first window is full
    smoother = Smoother(len(classes), smooth)
    refractory = Refractory(quiet_ms)
    # The model's output is int8: compare with the threshold in the same integers.
    limit = round((about["threshold"] if threshold is None else threshold) / model.output_scale)
    limit += model.output_zero_point
    armed = True
    windows = 0
    lost = 0
    encoder = Encoder(sys.stdout.buffer.write if frames else ignore, max_payload=512)
    encoder.send(HEADER, json.dumps({"classes": classes, "time_ms": time.ticks_ms()}).encode())

    imu.start()
    while max_windows is None or windows < max_windows:
        lost += imu.read_block(block)
        now_ms = time.ticks_ms()
        older[:] = newer
        latest[:] = block
        missing -= len(block) // params["channels"]
        if missing > 0:
            continue
        windows += 1

        transform.compute(window, model.input)
        model.invoke()
        if every_window:
            encoder.send(RESULT, bytes(value & 0xFF for value in model.output))
        smoother.update(model.output)
        best = smoother.best()
        if classes[best] == rest:
            armed = True
            led.off()
            relay.off()
        elif armed and smoother.full() and smoother.mean(best) >= limit and refractory.ready(now_ms):
            armed = False
            led.on()
            relay.on()
            scores = [(smoother.mean(i) - model.output_zero_point) * model.output_scale
                      for i in range(len(classes))]
            if frames:
                encoder.send(EVENT, json.dumps({"time_ms": now_ms, "label": classes[best], "scores": scores,
                                                "lost": lost}).encode())
            else:
                print("%8.2f s  %s  %.2f" % (now_ms / 1000, classes[best], scores[best]))
    led.off()
    relay.off()


def ignore(data):
    pass
