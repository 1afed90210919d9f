"""What the simulated board does at power-on: put its own modules where ESP32 firmware has them."""

import sys

from _host import soft_reset as _soft_reset


def start(profile):
    """``profile``: JSON with the board's ``sys_platform``, ``machine``, ``build`` and ``heap_bytes``."""
    import builtins
    import gc
    import json

    import _chip
    profile = json.loads(profile)
    _chip.choose(profile["sys_platform"], profile["build"])

    import _kernels
    import _missing
    import esp32_board
    import gc_board
    import machine
    import micropython_board
    import os_board
    if _chip.stm32:
        import pyb_board
    import sys_board
    import time_board
    for name in ("neopixel", "dht", "onewire", "ds18x20"):  # frozen into the firmware
        __import__(name)

    os_board.machine = profile["machine"]
    os_board.sysname = profile["sys_platform"]
    modules = sys.modules
    modules["time"] = modules["utime"] = time_board
    modules["os"] = modules["uos"] = os_board
    modules["gc"] = modules["ugc"] = gc_board
    modules["umachine"] = machine
    modules["micropython"] = micropython_board.Micropython()
    modules["sys"] = modules["usys"] = sys_board.Sys(profile)
    builtins.input = _input
    # Only what a board has: a script that imports another of this build's frozen modules would fail there.
    sys.path[:] = ["", "/lib"]
    main = __import__("__main__").__dict__
    for name in list(main):
        if name[:2] != "__":
            del main[name]
    if _chip.esp32:
        modules["esp32"] = esp32_board
    if _chip.stm32:
        modules["pyb"] = pyb_board
    _missing.add_to(modules, radio=_chip.esp32)
    _kernels.add_to(modules)
    for name in list(modules):
        if name[0] == "_" and name != "_start" or name.endswith("_board"):
            del modules[name]
    # Garbage is collected when this program has ended; then started() counts what is left.
    gc.collect()


def started(heap_bytes):
    """From here on, memory is the program's."""
    import gc
    gc.start(heap_bytes)


def run_file(name):
    """Run boot.py or main.py as a board does at start: errors are printed, ctrl-C ends it."""
    import micropython

    micropython.kbd_intr(3)
    try:
        with open(name) as file:
            source = file.read()
        exec(compile(source, name, "exec"), __import__("__main__").__dict__)
    except SystemExit:
        _soft_reset()
    except BaseException as error:
        sys.print_exception(error)
    micropython.kbd_intr(-1)


def _input(prompt=""):
    print(prompt, end="")
    line = bytearray()
    one = bytearray(1)
    while True:
        sys.stdin.buffer.readinto(one)
        if one[0] == 13 or one[0] == 10:
            print()
            return line.decode()
        if one[0] == 4 and not line:
            raise EOFError
        if one[0] == 8 or one[0] == 127:
            if line:
                line = line[:-1]
                print("\b \b", end="")
        elif one[0] >= 32:
            line += one
            sys.stdout.buffer.write(one)
