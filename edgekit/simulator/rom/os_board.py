"""``os`` as the board has it."""

# ruff: noqa: F401 - names to pass on
from collections import namedtuple

from uos import chdir, getcwd, ilistdir, listdir, mkdir, remove, rename, rmdir, sep, stat, statvfs, unlink
from vfs import mount, umount

sysname = machine = ""
_uname_result = namedtuple("uname_result", ("sysname", "nodename", "release", "version", "machine"))


def uname():
    import sys
    release = "%d.%d.%d" % sys.implementation.version[:3]
    return _uname_result(sysname, sysname, release, sys.version.split("; ")[1], machine)


def urandom(n):
    import random
    return bytes(random.getrandbits(8) for _ in range(n))


def sync():
    pass
