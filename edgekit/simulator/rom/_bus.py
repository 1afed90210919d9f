"""The way from the board's modules to the world: requests as in ``edgekit/simulator/bus.py``."""

import _host

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

_device = open("/dev/bus", "r+b")
send = _device.write  # op and arguments; raises OSError
receive = _device.readinto  # payload of the answer
receive_all = _device.read

_pin_handlers = {}  # pin number: function without arguments
_timers = []
_in_handler = False


def on_pin(number, handler):
    if handler is None:
        _pin_handlers.pop(number, None)
    else:
        _pin_handlers[number] = handler


def add_timer(timer):
    if timer not in _timers:
        _timers.append(timer)


def remove_timer(timer):
    if timer in _timers:
        _timers.remove(timer)


def handle():
    """Run the handlers that are due: a safe point, called after each request and in each sleep."""
    global _in_handler
    if _in_handler:
        return
    _in_handler = True
    try:
        while True:
            irq = _host.next_irq()
            if irq < 0:
                break
            handler = _pin_handlers.get(irq & 0xFF)
            if handler:
                handler(irq >> 8)
        if _timers:  # the copy takes memory: only where there is something to do
            for timer in list(_timers):
                timer._check()
    finally:
        _in_handler = False


def sleep_us(us):
    while us > 0:
        step = min(us, 1_000_000_000)
        for timer in _timers:
            step = min(step, max(timer._due_in_us(), 1))
        us -= step - _host.sleep(step)
        handle()
