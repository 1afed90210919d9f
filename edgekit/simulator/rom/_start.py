"""What the simulated board does at power-on: put its own modules where ESP32 firmware has them."""

import sys

def start(profile):
    """``profile``: JSON with the board's ``sys_platform``, ``machine`` and ``build``."""
    import builtins
    import gc
    import json

    import gc_board
    import machine
    import micropython_board
    import os_board
    import sys_board
    import time_board

    profile = json.loads(profile)
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
    for name in ("gc_board", "micropython_board", "sys_board", "time_board", "os_board"):
        del modules[name]
    gc.collect()


def run_file(name):
    """Run boot.py or main.py as a board does at start: errors are printed, ctrl-C ends it."""
    import micropython
    import _host

    micropython.kbd_intr(3)
    try:
        with open(name) as file:
            source = file.read()
        exec(compile(source, name, "exec"), __import__("__main__").__dict__)
    except SystemExit:
        _host.reset()
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
