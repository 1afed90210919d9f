"""The board's side of the Unix engine: power-on, and the loop that runs what the raw REPL was given."""

import sys

import _host


def start(names, flash, block, terminal, heap_bytes, profile):
    """Power-on. ``names``: the globals of ``__main__``; ``terminal``: ends this process when the engine is gone.

    What is read here lies behind the first ``heap_bytes`` of the heap; the rest there is taken. So a program finds as
    much as it would on the board, in one piece.
    """
    import builtins
    import os

    global _flash, _names, _terminal, _program
    _program = bytearray(heap_bytes)
    _names = names
    _terminal = open(terminal) if terminal else None
    import _flash

    modules = sys.modules
    main = __import__("__main__") if "__main__" in modules or hasattr(sys, "executable") else None
    if not hasattr(main, "__dict__"):  # before 1.20
        main = modules["__main__"] = _Names(__dict__=names)
    if "vfs" not in modules:
        try:
            __import__("vfs")
        except ImportError:
            modules["vfs"] = _Names(mount=os.mount, umount=os.umount)
    modules["utime"] = __import__("_time")
    real_open = builtins.open
    devices = {"/dev/bus": _host.Bus, "/dev/uart": _host.Uart}
    builtins.open = lambda path, *mode: devices[path]() if path in devices else real_open(path, *mode)
    import _start
    _start.start(profile)
    builtins.open = real_open
    _start.sys = modules["sys"]  # before 1.20, the Unix port's sys.stdin has no buffer
    modules["__main__"] = main
    modules["_board"] = _Names(loop=loop, ready=ready)
    atexit = getattr(sys, "atexit", None)
    if atexit:
        atexit(_flash.close_all)
    sys.argv[:] = []
    posix = os.VfsPosix()
    os.umount("/")
    os.mount(_flash.Flash(posix, flash, block), "/")
    os.chdir("/")


def ready():
    """Leave a program the first part of the heap, and nothing else."""
    import gc

    global _program, _filling
    _filling = [None] * 1000
    gc.collect()
    size, at = 1 << 16, 0
    while size >= 32 and at < len(_filling):
        try:
            _filling[at] = bytearray(size)
            at += 1
        except MemoryError:
            size >>= 1
    _program = None
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
