"""``os`` as the board has it."""

# ruff: noqa: F401 - names to pass on
from collections import namedtuple

from uos import chdir, getcwd, listdir, mkdir, remove, rename, rmdir, sep, stat, statvfs, unlink
from uos import ilistdir as _ilistdir
from vfs import mount, umount

sysname = machine = ""
_uname_result = namedtuple("uname_result", ("sysname", "nodename", "release", "version", "machine"))


def uname():
    import sys
    release = "%d.%d.%d" % sys.implementation.version[:3]
    return _uname_result(sysname, sysname, release, sys.version.split("; ")[1], machine)


def ilistdir(path=""):
    """With sizes, which this build leaves out."""
    return _with_sizes(_ilistdir(path), path + "/" if path and path[-1] != "/" else path)


def _with_sizes(entries, folder):
    for entry in entries:
        yield entry if len(entry) > 3 or entry[1] & 0x4000 else entry + (stat(folder + entry[0])[6],)


def urandom(n):
    import random
    return bytes(random.getrandbits(8) for _ in range(n))


def sync():
    pass
