"""Listen for "yes" and "no": microphone, features, model, decision, LED. "yes" switches the LED on, "no" off.

On the board, with a model that ``edgekit.deploy`` has put there::

    from apps.keyword import main
    main(frames=False)              # prints what it hears

It must keep up: a frame in each 20 ms and a look in each 100. With the C kernels it does. In MicroPython alone a frame and a
look take longer, sound is lost, and the app says so once.
"""

import json
import sys
from array import array

import boards
import bundle
import tflite_micro as tflm
from frames import EVENT, FEATURES, HEADER, RESULT, Encoder
from mfcc import Mfcc
from microphone import SoundFile, listen
from trigger import Spotter

LATE_MS = 1000


def main(name="keyword", threshold=None, hops=5, smooth=3, quiet_ms=1000, on="yes", off="no", path=None,
         max_windows=None, every_window=False, features=False, frames=True):
    """Listen, for ever, for ``max_windows`` looks of the model, or to the end of a file.

    ``threshold``: mean score from 0 to 1 that counts, by default as the bundle says. ``hops``: the model looks every
    so many hops of 20 ms. ``smooth``: looks that the mean is taken over. ``quiet_ms``: least time between two words.
    ``on``, ``off``: the words that switch the LED. ``path``: a file of int16 samples that is heard instead of the
    microphone. ``every_window``: also send the model's output for each look; ``features``: its input too.
    ``frames``: False prints lines instead.
    """
    about = bundle.load(name)
    params = about["params"]
    classes = about["classes"]
    for word in (on, off):
        if word not in classes:
            raise ValueError("the model knows no %r; it knows %s" % (word, ", ".join(classes)))
    model = tflm.load_model(about["model"])
    mfcc = Mfcc(params, about["files"]["mfcc.bin"])
    led = boards.led()

    # All memory is taken here: the loop below fills these buffers again and again.
    samples = array("h", bytes(2 * params["hop"]))
    # The model's output is int8: compare with the threshold in the same integers.
    limit = round((about["threshold"] if threshold is None else threshold) / model.output_scale)
    limit += model.output_zero_point
    switches_on = classes.index(on)
    spotter = Spotter(len(classes), (switches_on, classes.index(off)), limit, smooth, quiet_ms)
    # The first look is when all frames are there. A frame is longer than a hop: that takes a hop more.
    wait = params["frames"] - 1 + -(-params["window"] // params["hop"])
    windows = 0
    complained = False
    encoder = Encoder(sys.stdout.buffer.write if frames else ignore, max_payload=512)
    if path is None:
        source = listen(boards.microphone(params["rate_hz"], buffer_bytes=16000), params["hop"], params["rate_hz"])
    else:
        source = SoundFile(path, params["rate_hz"])
    encoder.send(HEADER, json.dumps({"classes": classes, "time_ms": source.time_ms(), "hops": hops}).encode())

    while (max_windows is None or windows < max_windows) and source.read_into(samples):
        mfcc.push(samples)
        wait -= 1
        if wait:
            continue
        wait = hops
        windows += 1
        now_ms = source.time_ms()

        model.input[:] = mfcc.features
        if features:
            # Before invoke: later layers may use the input's memory.
            encoder.send(FEATURES, bytes_of(model.input))
        model.invoke()
        if every_window:
            encoder.send(RESULT, bytes_of(model.output))
        if not complained and source.behind_ms() > LATE_MS:
            complained = True
            print("This board is slower than the sound: it is %d ms behind, and words are missed. Look less often "
                  "(hops=25), or take a board with C kernels." % source.behind_ms())
        word = spotter.update(model.output, now_ms)
        if word < 0:
            continue
        if word == switches_on:
            led.on()
        else:
            led.off()
        scores = [(spotter.smoother.mean(i) - model.output_zero_point) * model.output_scale
                  for i in range(len(classes))]
        if frames:
            encoder.send(EVENT, json.dumps({"time_ms": now_ms, "label": classes[word], "scores": scores}).encode())
        else:
            print("%8.2f s  %s  %.2f" % (now_ms / 1000, classes[word], scores[word]))
    source.close()


def bytes_of(values):
    """int8 values as bytes 0 to 255."""
    return bytes(value & 0xFF for value in values)


def ignore(data):
    pass
