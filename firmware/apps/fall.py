"""Sleep until something moves; look whether somebody fell; ask "are you fine?"; call for help if nobody answers.

The motion sensor watches alone, without its gyroscope, and keeps the newest 2.5 s: when it wakes the board, what came
before the blow is still there. No medical device: it misses falls, and calls what is none.

On the board, with a model that ``edgekit.deploy`` has put there::

    from apps.fall import main
    main(frames=False)              # prints what it does
"""

import json
import sys
import time
from array import array

import boards
import bundle
import tflite_micro as tflm
from boards.wake import Waker
from falls import Detector
from frames import EVENT, HEADER, Encoder
from machine import Pin
from ring import Ring

NAP_MS = 600000  # even if nothing moves the board looks up every ten minutes
BLOCK_MS = 1000  # while something moves: sleep so long, then look at what came; the sensor keeps 2.5 s
STAY = 4  # blocks without movement until it naps again
BEEP_MS = 250

# What the log says of an event: one byte, then the score, then 14 features.
SUSPECTED, CALLED, CANCELLED, RECOVERED = 1, 2, 3, 4
WORDS = ("", "suspected", "called", "cancelled", "recovered")
RECORD_BYTES = 16


def main(name="fall", threshold=None, countdown_s=20, call_s=10, motion_g=0.4, log="/falls.log", seconds=None, frames=True):
    """Watch, for ever or for so many ``seconds``.

    ``threshold``: score from 0 to 1 that counts as a fall, by default as the bundle says. ``countdown_s``: so long the
    relay beeps, and a press of the button cancels. ``call_s``: so long the relay stays on if nobody did. ``motion_g``:
    change of acceleration that wakes the board. ``log``: where events are kept. ``frames``: False prints lines instead.
    """
    about = bundle.load(name)
    classes = about["classes"]
    model = tflm.load_model(about["model"])
    fall = classes.index("fall")
    limit = round((about["threshold"] if threshold is None else threshold) / model.output_scale) + model.output_zero_point
    detector = Detector(about["params"]["trigger_mg"])
    imu = boards.motion_watch(about["params"]["rate_hz"], about["params"]["accel_range_g"])
    led, relay, button = boards.led(), boards.relay(), boards.button()
    waker = Waker(boards.motion_interrupt(), 1)
    kept = array("h", bytes(2 * 3 * imu.KEPT))
    record = bytearray(RECORD_BYTES)
    ring = Ring(log, record_bytes=RECORD_BYTES, count=64)
    encoder = Encoder(sys.stdout.buffer.write if frames else ignore, max_payload=256)
    encoder.send(HEADER, json.dumps({"classes": classes, "time_ms": time.ticks_ms()}).encode())

    pressed = bytearray(1)

    def note(pin):
        pressed[0] = 1  # all that an interrupt should do

    def tell(what):
        """To the flash first: what is there survives a power cut."""
        record[0] = what
        ring.append(record)
        score = (record[1] - 128 - model.output_zero_point) * model.output_scale
        if frames:
            encoder.send(EVENT, json.dumps({"time_ms": time.ticks_ms(), "label": "fall", "what": WORDS[what],
                                            "score": score, "number": ring.next - 1}).encode())
        else:
            print("%8.2f s  %s  %.2f" % (time.ticks_ms() / 1000, WORDS[what], score))

    def ask():
        """Count down: beeps, and a press of the button says "I am fine". Then call, or not."""
        led.on()
        pressed[0] = 0
        button.irq(note, Pin.IRQ_FALLING)
        for beep in range(1000 * countdown_s // BEEP_MS):
            relay.value(~beep & 1)
            time.sleep_ms(BEEP_MS)
            if pressed[0]:
                break
        button.irq(None)
        fine = pressed[0] > 0
        relay.value(0 if fine else 1)
        tell(CANCELLED if fine else CALLED)
        if not fine:
            time.sleep_ms(1000 * call_s)
        relay.off()
        led.off()

    # The power may have gone between "suspected" and the end of the countdown: that fall must not be lost.
    last = 0
    for _, payload in ring:
        last = payload[0]
        record[:] = payload
    if last in (SUSPECTED, RECOVERED):
        tell(RECOVERED)
        ask()

    events = falls = 0
    stay = 0
    # In steps: ticks of more than six days cannot be told from each other.
    left_s, left_ms = (int(seconds), round(1000 * seconds) % 1000) if seconds is not None else (0, 0)
    before_ms = time.ticks_ms()
    imu.watch(threshold_g=motion_g)
    while True:
        longest_ms = NAP_MS
        if seconds is not None:
            now_ms = time.ticks_ms()
            left_ms -= time.ticks_diff(now_ms, before_ms)
            before_ms = now_ms
            while left_ms < 0 and left_s > 0:
                left_ms += 1000
                left_s -= 1
            if left_ms <= 0 and left_s <= 0:
                break
            if left_s < NAP_MS // 1000:
                longest_ms = min(NAP_MS, 1000 * left_s + left_ms)
        if stay:
            stay -= 1
            waker.ignore(min(BLOCK_MS, longest_ms))
        elif not waker.nap(longest_ms):
            continue

        # Look at every sample that came; the loop allocates nothing.
        count = imu.read_watch(kept)
        if imu.missed:
            detector.restart()
        if imu.moved or detector.pending:
            stay = STAY
        fell = False
        for i in range(0, 3 * count, 3):
            if detector.update(kept[i], kept[i + 1], kept[i + 2]):
                events += 1
                for j in range(len(detector.features)):
                    model.input[j] = detector.features[j]
                model.invoke()
                if model.output[fall] >= limit:
                    fell = True
                    record[1] = (model.output[fall] + 128) & 0xFF
                    for j in range(len(detector.features)):
                        record[2 + j] = detector.features[j] & 0xFF
        if detector.pending:
            stay = STAY
        if fell:
            falls += 1
            tell(SUSPECTED)
            ask()
            detector.restart()
            imu.read_watch(kept)  # what the sensor kept meanwhile is of a person who lies there: forget it
            stay = 0
    imu.sleep()
    print("%d events, %d falls" % (events, falls))


def read_log(path="/falls.log"):
    """What is in the log: a list of (number, what, features)."""
    return [(number, WORDS[payload[0]], [value - 256 if value > 127 else value for value in payload[2:]])
            for number, payload in Ring(path, record_bytes=RECORD_BYTES, count=64)]


def ignore(data):
    pass
