"""A heart rate now and then, or the reason why there is none; a light if it stays too slow or too fast.

This is no medical device: it shows how a device decides whether it may speak. With a MAX30102 on the bus of the motion
sensor, finger on it, on the board::

    from apps.heart import main
    main()                  # 16 s every 10 minutes, the sensors asleep between; prints what it found
    main(every_s=0)         # without rest

    from apps.heart import show
    show()                  # the log, also of the days before a power cut

One look takes four windows of 8 s, two seconds apart. It says a rate if at least two of them may speak and they agree.
Too slow or too fast is looked at again after a minute, and ``lasts`` times in a row lights the LED and the relay. A look
without an answer changes nothing there: no reading is neither good nor bad.
"""

import struct
import time
from array import array

import boards
import machine
from max30102 import MAX30102
from pulse import NO_FINGER, OK, REASONS, Pulse
from ring import Ring

RATE_HZ = 100
BLOCK = 20  # samples: the pulse sensor keeps 32
WINDOWS = 4  # in one look
AGREE_X10 = 100  # tenths of a beat per minute between the windows of one look
NO_ANSWER = len(REASONS)  # of a sensor
TORN = NO_ANSWER + 1
WHY = REASONS + ("a sensor does not answer", "samples were lost")
LOG = "/heart.log"
RECORD = "<HIBBH"  # run, its second, reason, alarm, rate in tenths
KEPT = 240  # looks: 40 hours


class Monitor:
    """``look()`` measures once; ``rate_x10``, ``reason`` and ``alarm`` are what came out.

    ``low``, ``high``: limits of the alarm, in beats per minute. ``lasts``: looks in a row beyond them. ``led_ma``: current
    of the sensor's LEDs.
    """

    def __init__(self, low=50, high=120, lasts=3, led_ma=10, path=LOG):
        self.low = low
        self.high = high
        self.lasts = lasts
        self.led_ma = led_ma
        self.pulse = Pulse()
        self.log = Ring(path, struct.calcsize(RECORD), KEPT)
        self.run = 1 + last_run(self.log)
        self.reason = NO_FINGER
        self.rate_x10 = 0
        self.outside = 0  # looks in a row
        self.second = self._rest_ms = 0
        self._last_ms = time.ticks_ms()
        self.alarm = False
        self.led, self.relay = boards.led(), boards.relay()
        self._light = array("i", bytes(4 * 2 * BLOCK))
        self._motion = array("h", bytes(2 * 6 * BLOCK))
        self._rates = array("i", bytes(4 * WINDOWS))
        self._record = bytearray(struct.calcsize(RECORD))
        self._connect()

    def pass_time(self, now_ms):
        """Count the seconds of this run: ``ticks_ms`` alone wraps around."""
        passed_ms = self._rest_ms + time.ticks_diff(now_ms, self._last_ms)
        self.second += passed_ms // 1000
        self._rest_ms = passed_ms % 1000
        self._last_ms = now_ms

    def look(self):
        """Wake the sensors, measure, let them sleep, decide, act, write it down."""
        try:
            if self.ppg is None:
                self._connect()
            self._measure()
        except OSError:  # a wire is loose: say so, and try again next time
            self.ppg = None
            self._say(NO_ANSWER, 0)
        self._act()
        struct.pack_into(RECORD, self._record, 0, self.run & 0xFFFF, self.second, self.reason, self.alarm, self.rate_x10)
        self.log.append(self._record)

    def _connect(self):
        self.ppg = None
        self.imu = boards.accelerometer(rate_hz=RATE_HZ)
        self.ppg = MAX30102(boards.i2c(), rate_hz=RATE_HZ, led_ma=self.led_ma)
        self.imu.sleep()

    def _measure(self):
        pulse = self.pulse
        pulse.start()
        self.imu.wake()
        self.ppg.start()
        self.imu.start()
        done = spoken = 0
        why = NO_FINGER
        while done < WINDOWS:
            lost = self.ppg.read_block(self._light)
            lost += self.imu.read_block(self._motion)
            if lost:
                why = TORN  # a gap looks like a long beat
                break
            if pulse.feed(self._light, self._motion):
                done += 1
                if pulse.reason == OK:
                    self._rates[spoken] = pulse.rate_x10
                    spoken += 1
                else:
                    why = pulse.reason
        self.ppg.sleep()
        self.imu.sleep()
        if why == TORN or spoken < 2:
            self._say(why, 0)
        else:
            self._agree(spoken, why)

    def _agree(self, count, why):
        """The mean of the windows that spoke, if they are near each other."""
        low = high = total = self._rates[0]
        for i in range(1, count):
            rate = self._rates[i]
            total += rate
            low = min(low, rate)
            high = max(high, rate)
        if high - low > AGREE_X10:
            self._say(why if why != NO_FINGER else len(REASONS) - 1, 0)
        else:
            self._say(OK, total // count)

    def _say(self, reason, rate_x10):
        self.reason = reason
        self.rate_x10 = rate_x10

    def _act(self):
        if self.reason == OK:
            inside = 10 * self.low <= self.rate_x10 <= 10 * self.high
            self.outside = 0 if inside else self.outside + 1
            self.alarm = self.outside >= self.lasts
        if self.alarm:
            self.led.on()
            self.relay.on()
        else:
            self.led.off()
            self.relay.off()


def main(every_s=600, again_s=60, looks=None, **settings):
    """Look every ``every_s`` seconds, ``again_s`` after a rate beyond the limits; for ever, or so many ``looks``.

    ``settings``: as of ``Monitor``.
    """
    watch(Monitor(**settings), every_s, again_s, looks)


def watch(monitor, every_s=600, again_s=60, looks=None):
    """The loop of ``main``, with a ``Monitor`` that is there already."""
    done = 0
    while looks is None or done < looks:
        began_ms = time.ticks_ms()
        monitor.pass_time(began_ms)
        monitor.look()
        done += 1
        tell(monitor.run, monitor.second, monitor.reason, monitor.alarm, monitor.rate_x10)
        left_ms = 1000 * (again_s if monitor.outside else every_s) - time.ticks_diff(time.ticks_ms(), began_ms)
        if left_ms > 0 and (looks is None or done < looks):
            machine.lightsleep(left_ms)


def tell(run, second, reason, alarm, rate_x10):
    """One line."""
    if reason == OK:
        print("%d %7d s  %3d beats per minute%s" % (run, second, (rate_x10 + 5) // 10, "  ALARM" if alarm else ""))
    else:
        print("%d %7d s  no reading: %s%s" % (run, second, WHY[reason], "  ALARM" if alarm else ""))


def show(path=LOG):
    """Print the log, oldest look first."""
    for _, payload in Ring(path, struct.calcsize(RECORD), KEPT):
        tell(*struct.unpack(RECORD, payload))


def last_run(log):
    """The number of the run that wrote last, 0 if none did."""
    for _, payload in log.since(log.next - 1):
        return struct.unpack(RECORD, payload)[0]
    return 0
