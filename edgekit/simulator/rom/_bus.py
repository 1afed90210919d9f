"""The way from the board's modules to the world: requests as in ``edgekit/simulator/bus.py``.

``send(request)`` makes a request, ``receive(buffer)`` or ``receive_all(count)`` takes the payload of its answer. What
can be long goes without a copy: ``send_data(head, data)``, with a head from ``head(op, ...)`` that is kept.

An engine provides ``/dev/bus`` and the module ``_host``. A write to ``/dev/bus`` is a request, without its time. If the
top bit of its op is set, a byte follows it that says how many writes with data come next; all of them are one request.
``_host`` has:

=========================================  ==========================================================================
``sleep(us, timers)``                      sleeps until a pin's interrupt, or if ``timers`` a timer; returns what is left
``pause(ms)``                              waits in real time, whatever the clock
``spend(us)``                              lets the virtual clock go on
``ticks_us()``, ``ticks_ms()``             modulo 2 ** 30, since the last real reset; -1 - ticks if a handler is due
``now_us()``                               since power-on, without modulo
``seconds()``, ``microseconds()``,         date and time since 2000; microseconds of the last ``seconds()``
``set_seconds(seconds, us)``
``next_irq()``                             pin | edge << 8 of the next interrupt that is due, -1 if none
``irq_waits()``                            how many are due
``cancel()``                               forget a request whose data does not come
``start_timer(us, repeat)`` -> number,     a timer; how long it has run since it was last due; the number of one that
``stop_timer(number)``,                    is due, -1 if none: of the periods that it missed, at most 8 are due
``timer_us(number)``, ``next_timer()``
``watchdog(ms)``                           a real reset comes after so long; 0: after as long as last time, from now on
``reset_cause()``, ``wake_reason()``,      see machine
``set_wake_reason(reason)``
``soft_reset()``                           boot.py or main.py wants one
``interrupt_char(char)``                   see micropython.kbd_intr
=========================================  ==========================================================================
"""

import sys

from _host import cancel as _cancel
from _host import next_irq as _next_irq
from _host import next_timer as _next_timer
from _host import sleep as _sleep
from _host import start_timer as _start_timer
from _host import stop_timer as _stop_timer

RESET = 0
PIN_MODE = 3
PIN_SET = 4
PIN_GET = 5
PIN_IRQ = 6
ADC_READ = 7
I2C_SCAN = 8
I2C_WRITE = 9
I2C_READ = 10
I2C_WRITE_READ = 11
PWM_SET = 12
SPI_TRANSFER = 13
I2S_START = 14
I2S_READ = 15
UART_START = 16
UART_WRITE = 17
UART_ANY = 18
UART_READ = 19
ONEWIRE_RESET = 20
ONEWIRE_WRITE = 21
ONEWIRE_READ = 22
DHT_READ = 23
BITSTREAM = 24
PULSE = 25

# For the engine itself, not for the world.
HARD_RESET = 120  # cause, wake reason: does not return
RTC_WRITE = 121
RTC_READ = 122

_PARTS_FOLLOW = 0x80

_device = open("/dev/bus", "r+b")
send = _device.write  # op and arguments; raises OSError
receive = _device.readinto  # payload of the answer
receive_all = _device.read


def head(op, *args):
    """The start of a request that data follows. ``args`` are bytes and strings of bytes."""
    request = bytearray((op | _PARTS_FOLLOW, 0))
    for arg in args:
        request.extend(bytes((arg,)) if isinstance(arg, int) else arg)
    return request


def send_data(head, data):
    """Send a request with one buffer of data; returns its size in bytes."""
    head[1] = 1 if len(data) else 0
    send(head)
    return _send_part(data) if len(data) else 0


def send_parts(head, parts):
    """Send a request with the buffers of a list, one after the other; returns their size in bytes."""
    count = 0
    for part in parts:
        count += 1 if len(part) else 0
    head[1] = count
    send(head)
    size = 0
    for part in parts:
        if len(part):
            size += _send_part(part)
    return size


def _send_part(data):
    try:
        return send(data)
    except TypeError:  # no buffer
        _cancel()
        raise


# --- interrupts -----------------------------------------------------------------------------------------------
# A board runs a handler between two steps of its program; here it runs at the next request, sleep or look at the clock.

_pin_handlers = {}  # pin number: function of the edge
_timer_handlers = {}  # number of the timer: function without arguments
_busy = False
enabled = True  # see machine.disable_irq()


def on_pin(number, handler):
    if handler is None:
        _pin_handlers.pop(number, None)
    else:
        _pin_handlers[number] = handler


def start_timer(handler, period_us, repeat):
    """Call ``handler`` after ``period_us`` (a float), again and again if ``repeat``; returns the timer's number."""
    number = _start_timer(float(period_us), 1 if repeat else 0)
    _timer_handlers[number] = handler
    return number


def stop_timer(number):
    _stop_timer(number)
    _timer_handlers.pop(number, None)


def enable(on):
    """Let handlers run, or keep them waiting; returns what was before."""
    global enabled
    before = enabled
    enabled = on
    if on:
        handle()
    return before


def handle():
    """Run the handlers that are due."""
    global _busy
    if _busy or not enabled:
        return
    _busy = True
    try:
        while True:
            irq = _next_irq()
            if irq >= 0:
                handler = _pin_handlers.get(irq & 0xFF)
                if handler:
                    call(handler, irq >> 8)
                continue
            number = _next_timer()
            if number < 0:
                break
            handler = _timer_handlers.get(number)
            if handler:
                call(handler)
    finally:
        _busy = False


def call(handler, *args):
    """Call a handler as a board does: its error is printed, and the program goes on."""
    try:
        handler(*args)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        sys.print_exception(error)


def sleep_us(us):
    while us > 0:
        step = min(us, 1_000_000_000)
        us -= step - _sleep(step, 1 if enabled and not _busy else 0)
        handle()
