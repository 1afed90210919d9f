"""Read a voltage, print it, light the LED above a threshold: the first loop of every board.

On the board::

    from apps.sensor_loop import main
    main(count=10)
"""

import time

import boards


def main(count=None, period_ms=500, threshold_volts=1.65):
    """Read ``count`` times (for ever if None), once every ``period_ms``."""
    adc = boards.adc()
    led = boards.led()
    next_ms = time.ticks_ms()
    done = 0
    while count is None or done < count:
        volts = read_volts(adc)
        if volts > threshold_volts:
            led.on()
        else:
            led.off()
        print("%.3f V" % volts)
        done += 1
        # Counted from the planned time: sleeping a fixed time would add the loop's own time to each period.
        next_ms = time.ticks_add(next_ms, period_ms)
        time.sleep_ms(max(0, time.ticks_diff(next_ms, time.ticks_ms())))


def read_volts(adc):
    """The voltage at the pin. A reading alone is no voltage: it counts steps of the converter's range."""
    if hasattr(adc, "read_uv"):
        return adc.read_uv() / 1000000  # microvolts, corrected with what the factory measured
    return adc.read_u16() * 3.3 / 65535  # 65535 is the supply, 3.3 V
