"""Pressure and temperature sensor BMP280 (Bosch BST-BMP280-DS001, revision 1.14).

Simulated: sleep, forced and normal mode, measurement and standby times (typical), resolution by oversampling, skipped
measurements, the filter, trimming values, soft reset, SPI. Not simulated: three-wire SPI.

The trimming values are those of the data sheet's worked example (section 3.12). The chip turns its compensation
formula round: it sends the raw numbers from which a driver computes what the world has.
"""

from edgekit.simulator.chips.registers import RegisterChip, Stream

__all__ = ["BMP280"]

_CALIBRATION = 0x88
_ID = 0xD0
_RESET = 0xE0
_STATUS = 0xF3
_CTRL_MEAS = 0xF4
_CONFIG = 0xF5
_PRESS_MSB = 0xF7
_TEMP_MSB = 0xFA

_TRIM_T = (27504, 26435, -1000)
_TRIM_P = (36477, -10685, 3024, 2855, 140, -7, 15500, -14600, 6000)

_STANDBY_US = (500, 62_500, 125_000, 250_000, 500_000, 1_000_000, 2_000_000, 4_000_000)
_SAMPLES = (0, 1, 2, 4, 8, 16, 16, 16)  # osrs_t, osrs_p: how many are averaged
_FILTER = (1, 2, 4, 8, 16, 16, 16, 16)
_FILTER_MEMORY = 256  # samples after which nothing older counts: (15/16) to the 256th is 7e-8

_SKIPPED = 0x80000
_LARGEST = 0xFFFFF


class BMP280(RegisterChip):
    """One BMP280.

    Parameters
    ----------
    sense : callable
        ``sense(name, time_us)`` with the names ``pressure_hpa`` and ``temperature_c``.

    Examples
    --------
    >>> chip = BMP280(lambda name, time_us: {"pressure_hpa": 1006.5327, "temperature_c": 25.0825}[name])
    >>> chip.write(b"\\xf4\\xb5", 0)               # ctrl_meas: both 16 times, forced mode
    2
    >>> chip.write(b"\\xf7", 70_000)
    1
    >>> data = chip.read(6, 70_000)
    >>> int.from_bytes(data[:3], "big") >> 4, int.from_bytes(data[3:], "big") >> 4
    (415148, 519888)
    """

    ADDRESS = 0x76
    RESET_VALUES = {_ID: 0x58, _PRESS_MSB: 0x80, _TEMP_MSB: 0x80, **dict(enumerate(
        b"".join(value.to_bytes(2, "little", signed=value < 0) for value in _TRIM_T + _TRIM_P), _CALIBRATION))}

    def _power_on(self, time_us):
        super()._power_on(time_us)
        self._streams = {"data": Stream(_PRESS_MSB, 6)}
        self._filtered = None  # raw temperature and pressure
        self._now_us = time_us

    def write(self, data: bytes, time_us: int) -> int:
        """The master writes a register's number, or pairs of number and value: nothing is incremented."""
        with self._lock:
            self._run(time_us)
            for i in range(0, len(data), 2):
                self._pointer = data[i]
                if i + 1 < len(data):
                    self._write_register(data[i], data[i + 1], time_us)
            return len(data)

    def _spi_begin(self, first):
        self._pointer = first | 0x80

    def _spi_write(self, values, time_us):
        for i, value in enumerate(values):
            if i % 2:
                self._pointer = value | 0x80
            else:
                self._run(time_us)
                self._write_register(self._pointer, value, time_us)

    def _write_register(self, register, value, time_us):
        if register == _RESET and value == 0xB6:
            self._power_on(time_us)
        elif register == _CONFIG:
            self._hold_latest()
            if value >> 2 & 7 == 0:
                self._filtered = None
            self._registers[_CONFIG] = value
            self._restart(time_us)
        elif register == _CTRL_MEAS:
            self._hold_latest()
            self._registers[_CTRL_MEAS] = value
            self._streams["data"].clock.start(time_us, None)
            self._restart(time_us)

    def _read_register(self, register):
        if register == _STATUS:
            next_us = self._streams["data"].clock.next_us
            measuring = next_us is not None and next_us - self._measurement_us() <= self._now_us
            return measuring << 3
        return super()._read_register(register)

    @property
    def _mode(self):
        return (0, 1, 1, 3)[self._registers[_CTRL_MEAS] & 3]  # sleep, forced, forced, normal

    def _measurement_us(self):
        """Typical time of one measurement (section 3.8.1)."""
        settings = self._registers[_CTRL_MEAS]
        temperature, pressure = _SAMPLES[settings >> 5], _SAMPLES[settings >> 2 & 7]
        return 1000 + 2000 * temperature + (2000 * pressure + 500 if pressure else 0)

    def _restart(self, time_us):
        if self._mode == 0:
            self._streams["data"].clock.start(time_us, None)
            return
        period_us = self._measurement_us() + _STANDBY_US[self._registers[_CONFIG] >> 5]
        if self._streams["data"].clock.period_us != period_us:
            # Every period begins with the measurement and ends with the standby time.
            self._streams["data"].clock.start(time_us + self._measurement_us() - period_us, period_us)
            self._streams["data"].held = 0

    def _run(self, time_us):
        super()._run(time_us)
        self._now_us = time_us

    def _sampled(self, name, stream, due):
        if self._mode == 1:
            due = due[:1]
        if self._registers[_CONFIG] >> 2 & 7:
            if len(due) > _FILTER_MEMORY:
                due, self._filtered = due[-_FILTER_MEMORY:], None
            for index in due:
                self._filter(stream.clock.time_us(index))
        if self._mode == 1:
            self._finish_once(stream, due)
            self._registers[_CTRL_MEAS] &= ~3  # back to sleep

    def _filter(self, time_us):
        new = self._convert(time_us)
        old = self._filtered or new
        weight = 1 / _FILTER[self._registers[_CONFIG] >> 2 & 7]
        self._filtered = tuple(o + (n - o) * weight for o, n in zip(old, new, strict=True))

    def _measure(self, name, time_us):
        settings = self._registers[_CTRL_MEAS]
        raw_t, raw_p = self._filtered or self._convert(time_us)
        raw_p = round(raw_p) if _SAMPLES[settings >> 2 & 7] else _SKIPPED
        raw_t = round(raw_t) if _SAMPLES[settings >> 5] else _SKIPPED
        return (raw_p << 4).to_bytes(3, "big") + (raw_t << 4).to_bytes(3, "big")

    def _convert(self, time_us):
        """Raw temperature and pressure at a time; fewer samples leave the low bits 0."""
        settings = self._registers[_CTRL_MEAS]
        raw_t = _nearest(_temperature_c, self._sense("temperature_c", time_us))
        raw_t = _cut(raw_t, _SAMPLES[settings >> 5] or 16)
        fine = _fine(raw_t)
        raw_p = _nearest(lambda raw: -_pressure_pa(raw, fine), -100 * self._sense("pressure_hpa", time_us))
        return raw_t, _cut(raw_p, _SAMPLES[settings >> 2 & 7] or 16)


def _fine(raw_t):
    """The data sheet's t_fine (appendix, floating point): 5120 for each degree."""
    t1, t2, t3 = _TRIM_T
    return (raw_t / 16384 - t1 / 1024) * t2 + (raw_t / 131072 - t1 / 8192) ** 2 * t3


def _temperature_c(raw_t):
    return _fine(raw_t) / 5120


def _pressure_pa(raw_p, fine):
    """The data sheet's compensation of the pressure (appendix, floating point)."""
    p1, p2, p3, p4, p5, p6, p7, p8, p9 = _TRIM_P
    x = fine / 2 - 64000
    y = (x * x * p6 / 32768 + x * p5 * 2) / 4 + p4 * 65536
    scale = (1 + (p3 * x * x / 524288 + p2 * x) / 524288 / 32768) * p1
    pressure = (1048576 - raw_p - y / 4096) * 6250 / scale
    return pressure + (p9 * pressure * pressure / 2147483648 + pressure * p8 / 32768 + p7) / 16


def _nearest(rising, wanted):
    """The raw number of 20 bits at which a rising function comes nearest to a value."""
    low, high = 0, _LARGEST
    while low < high:
        middle = (low + high) // 2
        if rising(middle) < wanted:
            low = middle + 1
        else:
            high = middle
    return low - 1 if low and wanted - rising(low - 1) < rising(low) - wanted else low


def _cut(raw, samples):
    """16 bits for one sample, one bit more for each doubling."""
    lost = 4 - (samples.bit_length() - 1)
    return min(_LARGEST, raw + (1 << lost >> 1)) >> lost << lost
