"""The board's side of the Unix engine: power-on, and the loop that runs what the raw REPL was given."""

import sys

import _host


def start(names, flash, block, terminal, profile):
    """Power-on. ``names``: the globals of ``__main__``; ``terminal``: ends this process when the engine is gone."""
    import builtins
    import gc
    import json
    import os

    global _flash, _names, _terminal, _run_file
    _names = names
    _terminal = open(terminal) if terminal else None
    import _flash

    profile = json.loads(profile)
    modules = sys.modules
    real_open = builtins.open
    devices = {"/dev/bus": _host.Bus, "/dev/uart": _host.Uart}
    builtins.open = lambda path, *mode: devices[path]() if path in devices else real_open(path, *mode)
    real_vfs = _Names(mount=os.mount, umount=os.umount)
    if "vfs" not in modules:
        try:
            import vfs
        except ImportError:
            modules["vfs"] = real_vfs
    import _time
    modules["utime"] = _time
    import gc_board
    import machine
    import micropython_board
    import os_board
    import sys_board
    import time_board
    import _start

    os_board.machine = profile["machine"]
    os_board.sysname = profile["sys_platform"]
    posix = os.VfsPosix
    modules["time"] = modules["utime"] = time_board
    modules["os"] = modules["uos"] = os_board
    modules["gc"] = modules["ugc"] = gc_board
    modules["umachine"] = machine
    modules["micropython"] = micropython_board.Micropython()
    modules["sys"] = modules["usys"] = _start.sys = sys_board.Sys(profile)
    builtins.open = real_open
    builtins.input = _start._input
    atexit = getattr(sys, "atexit", None)
    if atexit:
        atexit(_flash.close_all)
    for name in list(names):
        if name[:2] != "__":
            del names[name]
    for name in ("gc_board", "micropython_board", "sys_board", "time_board", "os_board", "_time", "_flash"):
        modules.pop(name, None)
    sys.path[:] = ["", "/lib"]
    sys.argv[:] = []
    os.umount("/")
    os.mount(_flash.Flash(posix(), flash, block), "/")
    os.chdir("/")
    gc.collect()


class _Names:
    def __init__(self, **names):
        for name in names:
            setattr(self, name, names[name])


def run_file(name):
    """Run boot.py or main.py as a board does at start; errors are printed, ctrl-C ends it."""
    try:
        with open(name) as file:
            source = file.read()
    except OSError:
        return
    _run(source, name)


def loop():
    """Run what the engine sends, until the friendly prompt is wanted: that one is the Unix port's own."""
    while True:
        try:
            _host.send(_NEXT)
            command = _host.receive_all(1)
            if command == b"R":
                source = _host.receive_all()
                _run(source, "<stdin>")
                source = None
            elif command == b"B":
                run_file("/boot.py")
            elif command == b"M":
                run_file("/main.py")
            elif command == b"F":
                return
            else:
                _bye()
        except KeyboardInterrupt:
            pass  # it came when the program had just ended


_NEXT = bytes((_host.NEXT,))
_END = bytes((_host.END,))


def _run(source, name):
    try:
        exec(compile(source, name, "exec"), _names)
    except SystemExit:
        _bye()
    except BaseException as error:
        _host.send(_END)
        sys.print_exception(error)
    else:
        _host.send(_END)


def _bye():
    _flash.close_all()
    _host.send(bytes((_host.BYE,)))  # the engine ends this process
