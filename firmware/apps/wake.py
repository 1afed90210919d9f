"""Sleep until something happens; then look at the movement, decide, and act: LED, servo, relay.

What happens may be a button that is pressed, the board that is moved, or a clap. It says only *that* something is
there. *What* it is, the gesture model says: it looks at the movement that follows, once, over several windows.

On the board, with a model that ``edgekit.deploy`` has put there::

    from apps.wake import main
    main(source="motion")           # prints what it does
"""

import time
from array import array

import boards
import bundle
import tflite_micro as tflm
from boards.wake import Waker
from motion import transform_for
from trigger import Smoother

NAP_MS = 60000  # even if nothing happens the board looks up once a minute
# What the servo shows, in degrees. The relay is a switch: the gesture in RELAY turns it on, and the next time off.
ANGLES = {"circle": 30, "double_tap": 60, "punch": 90, "shake": 120, "wave": 150}
RELAY = "double_tap"


def main(source="motion", name="gesture", threshold=None, smooth=3, quiet_ms=1500, rest="idle", motion_g=0.2,
         max_events=None, seconds=None):
    """Wait for events of ``source``: "button", "motion" or "sound". For ever, or for so many events or seconds.

    ``threshold``: mean score from 0 to 1 that counts, by default as the bundle says. ``smooth``: windows that the mean
    is taken over. ``quiet_ms``: after an action the board is deaf so long, because one gesture shall act once.
    ``rest``: the class that is no gesture. ``motion_g``: change of acceleration that is a movement.
    """
    about = bundle.load(name)
    params = about["params"]
    classes = about["classes"]
    model = tflm.load_model(about["model"])
    transform = transform_for(params)
    imu = boards.accelerometer(rate_hz=params["rate_hz"])
    led, relay, servo = boards.led(), boards.relay(), boards.servo()
    waker = waker_for(source, imu)

    # All memory is taken here: the loop below fills these buffers again and again.
    block = array("h", bytes(2 * params["channels"] * params["stride"]))
    window = array("h", bytes(2 * params["channels"] * params["window"]))
    view = memoryview(window)
    older, newer, latest = view[:-len(block)], view[len(block):], view[-len(block):]
    fill = -(-params["window"] // params["stride"])  # blocks until the first window is full
    smoother = Smoother(len(classes), smooth)
    limit = round((about["threshold"] if threshold is None else threshold) / model.output_scale)
    limit += model.output_zero_point

    events = actions = slept_ms = 0
    start_ms = time.ticks_ms()
    go_to_sleep(source, imu, motion_g)
    while max_events is None or events < max_events:
        now_ms = time.ticks_ms()
        nap_ms = NAP_MS
        if seconds is not None:
            nap_ms = min(NAP_MS, round(1000 * seconds) - time.ticks_diff(now_ms, start_ms))
            if nap_ms <= 0:
                break
        happened = waker.nap(nap_ms)
        event_ms = time.ticks_ms()
        slept_ms += time.ticks_diff(event_ms, now_ms)
        if not happened:
            continue
        events += 1

        # Look: the movement from now on, as many windows as the mean needs.
        imu.wake()
        imu.start()
        smoother.clear()
        for i in range(fill + smooth - 1):
            imu.read_block(block)
            older[:] = newer
            latest[:] = block
            if i >= fill - 1:
                transform.compute(window, model.input)
                model.invoke()
                smoother.update(model.output)

        # Decide.
        best = smoother.best()
        acts = classes[best] != rest and smoother.mean(best) >= limit
        score = (smoother.mean(best) - model.output_zero_point) * model.output_scale
        print("%8.2f s  %s: %s %.2f%s" % (event_ms / 1000, source, classes[best], score, "" if acts else ", no action"))

        # Act.
        if acts:
            actions += 1
            led.on()
            turn(servo, ANGLES.get(classes[best], 0))
            if classes[best] == RELAY:
                relay.value(not relay.value())
        imu.sleep()
        done_ms = time.ticks_ms()
        waker.ignore(quiet_ms if acts else 0)
        slept_ms += time.ticks_diff(time.ticks_ms(), done_ms)
        led.off()
        go_to_sleep(source, imu, motion_g)
    total_ms = time.ticks_diff(time.ticks_ms(), start_ms)
    print("%d events, %d actions; awake %.2f s of %.2f s" % (events, actions, (total_ms - slept_ms) / 1000,
                                                              total_ms / 1000))


def waker_for(source, imu):
    """What is waited for, and at which level of its pin it is there."""
    if source == "button":
        return Waker(boards.button(), 0, stable_ms=20)
    if source == "sound":
        return Waker(boards.sound_switch(), 1)
    if source != "motion":
        raise ValueError("source is %r, expected 'button', 'motion' or 'sound'" % (source,))
    if not hasattr(imu, "sleep_until_motion"):
        raise RuntimeError("this board's own motion sensor has no wire to a free pin: connect an MPU6050, "
                           "or take source='button' or 'sound'")
    return Waker(boards.motion_interrupt(), 1)


def go_to_sleep(source, imu, motion_g):
    """The sensor sleeps too; or it is the one that watches."""
    if source == "motion":
        imu.sleep_until_motion(threshold_g=motion_g)
    else:
        imu.sleep()


def turn(servo, angle_deg):
    """Pulses of 0.5 ms are 0 degrees, 2.5 ms are 180. Many servos have narrower ends."""
    servo.duty_ns(500000 + angle_deg * 2000000 // 180)
