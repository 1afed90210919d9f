"""``machine`` as ESP32 firmware has it, for what the course uses: Pin, Signal, ADC, PWM, I2C, SoftI2C, Timer,
RTC, WDT, and a few functions."""

import _bus
import _host
import time_board as _time

PWRON_RESET = 1
SOFT_RESET = 5


class Pin:
    IN = 1
    OUT = 3
    OPEN_DRAIN = 7
    PULL_DOWN = 1
    PULL_UP = 2
    IRQ_RISING = 1
    IRQ_FALLING = 2

    _pins = {}

    def __new__(cls, id, *args, **kwargs):
        if isinstance(id, Pin):
            return id
        number = _pin_number(id)
        pin = cls._pins.get(number)
        if pin is None:
            pin = cls._pins[number] = object.__new__(cls)
            pin._id = number
            pin._name = id
            pin._handler = None
        return pin

    def __init__(self, id, mode=None, pull=-1, *, value=None):
        if mode is not None or pull != -1 or value is not None:
            self.init(mode, pull, value=value)

    def init(self, mode=None, pull=-1, *, value=None):
        if value is not None:
            self.value(value)
        if mode is not None:
            if mode not in (Pin.IN, Pin.OUT, Pin.OPEN_DRAIN):
                raise ValueError("invalid pin mode")
            bus_mode = {Pin.IN: 0, Pin.OUT: 1, Pin.OPEN_DRAIN: 2}[mode]
            bus_pull = {Pin.PULL_UP: 1, Pin.PULL_DOWN: 2}.get(pull, 0)
            _bus.send(bytes((_bus.PIN_MODE, self._id, bus_mode, bus_pull)))
            _bus.handle()

    def value(self, x=None):
        if x is None:
            _bus.send(bytes((_bus.PIN_GET, self._id)))
            answer = _bus.receive_all(1)
            _bus.handle()
            return answer[0]
        _bus.send(bytes((_bus.PIN_SET, self._id, 1 if x else 0)))
        _bus.handle()

    __call__ = value

    def on(self):
        self.value(1)

    def off(self):
        self.value(0)

    def toggle(self):
        self.value(not self.value())

    def irq(self, handler=None, trigger=IRQ_RISING | IRQ_FALLING, hard=False):
        self._handler = handler
        _bus.on_pin(self._id, self._call if handler else None)
        _bus.send(bytes((_bus.PIN_IRQ, self._id, trigger if handler else 0)))
        return self

    def _call(self, edge):
        handler = self._handler
        if handler:
            handler(self)

    def __repr__(self):
        return "Pin(%s)" % self._name


def _pin_number(id):
    """The number on the bus: STM32's "PC13" or "C13" is port C (2) times 16 plus 13."""
    if isinstance(id, str):
        name = id[1:] if len(id) > 1 and id[0] == "P" else id
        if name[:1] in "ABCDEFGH" and name[1:].isdigit() and int(name[1:]) < 16:
            return (ord(name[0]) - ord("A")) * 16 + int(name[1:])
    elif isinstance(id, int) and not isinstance(id, bool) and 0 <= id < 128:
        return id
    raise ValueError("invalid pin")


class Signal:
    def __init__(self, pin, *args, invert=False, **kwargs):
        self._pin = pin if isinstance(pin, Pin) else Pin(pin, *args, **kwargs)
        self._invert = bool(invert)

    def value(self, x=None):
        if x is None:
            return self._pin.value() ^ self._invert
        self._pin.value(bool(x) ^ self._invert)

    __call__ = value

    def on(self):
        self.value(1)

    def off(self):
        self.value(0)


class ADC:
    ATTN_0DB = 0
    ATTN_2_5DB = 1
    ATTN_6DB = 2
    ATTN_11DB = 3
    WIDTH_9BIT = 9
    WIDTH_10BIT = 10
    WIDTH_11BIT = 11
    WIDTH_12BIT = 12
    _DB = (0, 2, 6, 11)

    def __init__(self, pin, *, atten=ATTN_0DB):
        self._id = (pin if isinstance(pin, Pin) else Pin(pin))._id
        self._answer = bytearray(6)
        self._width = 12
        self.atten(atten)

    def init(self, *, atten=ATTN_0DB):
        self.atten(atten)

    def atten(self, atten):
        if not 0 <= atten <= 3:
            raise ValueError("invalid atten")
        self._request = bytes((_bus.ADC_READ, self._id, self._DB[atten]))

    def width(self, bits):
        if not 9 <= bits <= 12:
            raise ValueError("invalid bits")
        self._width = bits

    def read_u16(self):
        _bus.send(self._request)
        _bus.receive(self._answer)
        _host.spend(40)  # microseconds that a conversion takes
        _bus.handle()
        return self._answer[0] | self._answer[1] << 8

    def read(self):
        return self.read_u16() >> (16 - self._width)

    def read_uv(self):
        self.read_u16()
        a = self._answer
        return a[2] | a[3] << 8 | a[4] << 16 | a[5] << 24

    def __repr__(self):
        return "ADC(Pin(%d))" % self._id


class PWM:
    """Pulses on a pin. Inside, a duty is 0 to 65536 as in the ESP32's own; 65535, or 1023 of duty(), is full."""

    _running = {}  # pin number: frequency

    def __init__(self, dest, freq=-1, **kwargs):
        if not isinstance(dest, Pin):
            raise ValueError("expecting a pin")
        self._id = dest._id
        self._reset()
        self.init(freq, **kwargs)

    def _reset(self):
        self._freq = 0  # 0: inactive
        self._wanted = None  # (unit, duty in it) as the program asked: kept when the frequency changes
        self._invert = False

    def init(self, freq=-1, *, duty=-1, duty_u16=-1, duty_ns=-1, invert=None, lightsleep=False):
        if freq == -1:
            freq = self._running.get(self._id, 5000)
        _check_freq(freq)
        if _to_int(duty_u16) >= 0:
            self._want_u16(duty_u16)
        elif _to_int(duty_ns) >= 0:
            self._want_ns(duty_ns, freq)
        elif _to_int(duty) >= 0:
            self._want_u10(duty)
        elif self._wanted is None:
            self._wanted = ("duty_u16", 32768)
        if invert is not None:
            self._invert = bool(invert)
        self._freq = freq
        self._apply()

    def deinit(self):
        if self._freq:
            self._running.pop(self._id, None)
            self._send(0, 0)
        self._reset()

    def freq(self, freq=None):
        self._check_active()
        if freq is None:
            return self._freq
        _check_freq(freq)
        self._freq = freq
        self._apply()

    def duty_u16(self, duty=None):
        if duty is None:
            self._check_active()
            return min(self._duty, 65535)
        self._want_u16(duty)
        self._apply()

    def duty(self, duty=None):
        if duty is None:
            return self.duty_u16() >> 6
        self._want_u10(duty)
        self._apply()

    def duty_ns(self, duty=None):
        self._check_active()
        if duty is None:
            return _duty_to_ns(self.duty_u16(), self._freq)
        self._want_ns(duty, self._freq)
        self._apply()

    def _want_u16(self, duty):
        if not 0 <= _to_int(duty) <= 65535:
            raise ValueError("duty_u16 must be from 0 to 65536")  # the port's own words
        self._wanted = ("duty_u16", 65536 if duty == 65535 else duty)

    def _want_u10(self, duty):
        if not 0 <= _to_int(duty) <= 1023:
            raise ValueError("duty must be from 0 to 1023")
        self._wanted = ("duty", 1024 if duty == 1023 else duty)

    def _want_ns(self, ns, freq):
        if not 0 <= _to_int(ns) <= _duty_to_ns(65536, freq):
            raise ValueError("duty_ns must be from 0 to %d ns" % _duty_to_ns(65536, freq))
        self._wanted = ("duty_ns", ns)

    def _check_active(self):
        if not self._freq:
            raise RuntimeError("PWM is inactive")

    def _apply(self):
        self._check_active()
        unit, duty = self._wanted
        if unit == "duty":
            duty <<= 6
        elif unit == "duty_ns" and duty:
            duty = max(1, min(65536, (duty * 65536 * self._freq + 500_000_000) // 1_000_000_000))
        # The unit counts an 80 MHz clock: above 1220 Hz a period has fewer than 65536 steps.
        step = 1
        while self._freq * (65536 // step) > 80_000_000:
            step *= 2
        self._duty = duty // step * step
        self._running[self._id] = self._freq
        self._send(self._freq, 65536 - self._duty if self._invert else self._duty)

    def _send(self, freq, duty):
        _bus.send(bytes((_bus.PWM_SET, self._id)) + freq.to_bytes(4, "little") + min(duty, 65535).to_bytes(2, "little"))
        _bus.handle()

    def __repr__(self):
        if not self._freq:
            return "PWM(Pin(%d))" % self._id
        unit = self._wanted[0]
        return "PWM(Pin(%d), freq=%d, %s=%d%s)" % (
            self._id, self._freq, unit, getattr(self, unit)(), ", invert=True" if self._invert else "")


def _to_int(x):
    if not isinstance(x, int):
        raise TypeError("can't convert %s to int" % type(x).__name__)
    return x


def _check_freq(freq):
    if not 0 < _to_int(freq) <= 40_000_000:
        raise ValueError("frequency must be from 1Hz to 40MHz")


def _duty_to_ns(duty, freq):
    return (duty * 1_000_000_000 + freq * 32768) // (freq * 65536)


class _I2CBase:
    def _set_up(self, bus, scl, sda, freq):
        scl = scl if isinstance(scl, Pin) else Pin(scl)
        sda = sda if isinstance(sda, Pin) else Pin(sda)
        if not 1 <= freq <= 5_000_000:
            raise ValueError("invalid freq")
        self._wires = bytes((bus, scl._id, sda._id))
        self._freq = freq
        self._byte_ns = 9_000_000_000 // freq
        # One request without allocation for the most used transfer: read registers into a buffer.
        self._request = bytearray(8)
        self._request[0] = _bus.I2C_WRITE_READ
        self._request[1:4] = self._wires
        self._count = bytearray(2)

    def _spend(self, count):
        _host.spend((count + 1) * self._byte_ns // 1000)
        _bus.handle()

    def scan(self):
        _bus.send(bytes((_bus.I2C_SCAN,)) + self._wires)
        addresses = list(_bus.receive_all(128))
        self._spend(112)
        return addresses

    def writeto(self, addr, buf, stop=True):
        _bus.send(bytes((_bus.I2C_WRITE,)) + self._wires + bytes((addr, 1 if stop else 0)) + bytes(buf))
        _bus.receive(self._count)
        self._spend(len(buf))
        return self._count[0] | self._count[1] << 8

    def writevto(self, addr, vector, stop=True):
        return self.writeto(addr, b"".join(bytes(part) for part in vector), stop)

    def readfrom_into(self, addr, buf, stop=True):
        n = len(buf)
        _bus.send(bytes((_bus.I2C_READ,)) + self._wires + bytes((addr, 1 if stop else 0, n & 0xFF, n >> 8)))
        _bus.receive(buf)
        self._spend(n)

    def readfrom(self, addr, nbytes, stop=True):
        buf = bytearray(nbytes)
        self.readfrom_into(addr, buf, stop)
        return bytes(buf)

    def readfrom_mem_into(self, addr, memaddr, buf, *, addrsize=8):
        n = len(buf)
        if addrsize == 8:
            request = self._request
            request[4] = addr
            request[5] = n & 0xFF
            request[6] = n >> 8
            request[7] = memaddr
        else:
            request = bytes(self._request[:4]) + bytes((addr, n & 0xFF, n >> 8)) + _memory_address(memaddr, addrsize)
        _bus.send(request)
        _bus.receive(buf)
        self._spend(n + 2)

    def readfrom_mem(self, addr, memaddr, nbytes, *, addrsize=8):
        buf = bytearray(nbytes)
        self.readfrom_mem_into(addr, memaddr, buf, addrsize=addrsize)
        return bytes(buf)

    def writeto_mem(self, addr, memaddr, buf, *, addrsize=8):
        self.writeto(addr, _memory_address(memaddr, addrsize) + bytes(buf))


def _memory_address(memaddr, addrsize):
    if addrsize not in (8, 16, 24, 32):
        raise ValueError("invalid addrsize")
    return memaddr.to_bytes(addrsize // 8, "big")


class I2C(_I2CBase):
    _DEFAULT = {0: (18, 19), 1: (25, 26)}

    def __init__(self, id=0, *, scl=None, sda=None, freq=400_000, timeout=50_000):
        if id not in self._DEFAULT:
            raise ValueError("I2C(%s) doesn't exist" % id)
        default = self._DEFAULT[id]
        self._id = id
        self._set_up(id, default[0] if scl is None else scl, default[1] if sda is None else sda, freq)

    def __repr__(self):
        return "I2C(%d, scl=%d, sda=%d, freq=%d)" % (self._id, self._wires[1], self._wires[2], self._freq)


class SoftI2C(_I2CBase):
    def __init__(self, scl, sda, *, freq=400_000, timeout=50_000):
        self._set_up(255, scl, sda, freq)

    def __repr__(self):
        return "SoftI2C(scl=%d, sda=%d, freq=%d)" % (self._wires[1], self._wires[2], self._freq)


class Timer:
    ONE_SHOT = 0
    PERIODIC = 1

    def __init__(self, id, **kwargs):
        self._id = id
        self._callback = None
        if kwargs:
            self.init(**kwargs)

    def init(self, *, mode=PERIODIC, freq=-1, period=-1, callback=None):
        if freq > 0:
            self._period_us = int(1_000_000 / freq)
        elif period > 0:
            self._period_us = 1000 * period
        else:
            raise ValueError("invalid period")
        self._mode = mode
        self._callback = callback
        self._started_us = _host.ticks_us()
        _bus.add_timer(self)

    def deinit(self):
        _bus.remove_timer(self)

    def _due_in_us(self):
        # Ticks wrap at 2 ** 30; a period is shorter than half of that (9 minutes).
        return self._period_us - ((_host.ticks_us() - self._started_us) & 0x3FFFFFFF)

    def _check(self):
        while self in _bus._timers and self._due_in_us() <= 0:
            self._started_us += self._period_us
            if self._mode == Timer.ONE_SHOT:
                _bus.remove_timer(self)
            if self._callback:
                self._callback(self)

    def value(self):
        return (self._period_us - self._due_in_us()) // 1000


class RTC:
    """Date and time: what ``time.time()`` counts. It goes on through a reset."""

    def datetime(self, fields=None):
        """(year, month, day, weekday, hour, minute, second, microsecond); Monday is 0, and not needed to set."""
        if fields is None:
            year, month, day, hour, minute, second, weekday, _ = _time.gmtime()
            return (year, month, day, weekday, hour, minute, second, _host.microseconds())
        _set_clock(fields, 4)

    def init(self, fields):
        """(year, month, day, hour, minute, second, anything, microsecond)."""
        _set_clock(fields, 3)


def _set_clock(fields, hour):
    if not isinstance(fields, (tuple, list)):
        raise TypeError("object '%s' isn't a tuple or list" % type(fields).__name__)
    if len(fields) != 8:
        raise ValueError("requested length 8 but object has length %d" % len(fields))
    fields = [_to_int(field) for field in fields]
    _host.set_seconds(_time.mktime(fields[:3] + fields[hour:hour + 3] + [0, 0]), fields[7])


class WDT:
    """A watchdog that never bites: the simulated board does not reset when nobody feeds it in time."""

    def __init__(self, id=0, timeout=5000):
        if id != 0:
            raise ValueError
        if _to_int(timeout) <= 0:
            raise ValueError("WDT timeout too short")

    def feed(self):
        pass


def unique_id():
    return b"edgekt"


_freq_hz = 160_000_000


def freq(hz=None):
    global _freq_hz
    if hz is None:
        return _freq_hz
    _freq_hz = hz


def reset():
    _host.reset()
    raise SystemExit


def soft_reset():
    raise SystemExit


def reset_cause():
    return PWRON_RESET


def idle():
    _bus.sleep_us(1000)


def lightsleep(time_ms=None):
    if time_ms is None:
        raise ValueError("lightsleep without a time would sleep for ever: nothing else wakes the simulated board")
    _bus.sleep_us(1000 * time_ms)


def disable_irq():
    return 0


def enable_irq(state):
    pass


def time_pulse_us(pin, level, timeout_us=1_000_000):
    raise NotImplementedError("the simulated board has no time_pulse_us")
