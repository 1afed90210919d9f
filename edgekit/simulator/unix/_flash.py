"""The board's flash: a folder of the computer.

Reading is the Unix port's own. A file that is written lives in a temporary file until it is closed or flushed, then
takes the place of the old one whole, as with littlefs; the engine does that, and counts the blocks.
"""

import io
from struct import unpack

import _host

_ENOSPC, _EBADF = 28, 9
_open_files = []


class Flash:
    def __init__(self, posix, root, block):
        # Without a root of its own: with one, VfsPosix before 1.25 renames a file to itself.
        self._posix = posix
        self._root = root
        self._block = block

    def mount(self, readonly, mkfs):
        self._posix.chdir(self._root)

    def umount(self):
        pass

    def _path(self, path):
        if ".." in path:  # nothing leads out of the flash
            names = []
            for name in (path if path[:1] == "/" else self.getcwd() + "/" + path).split("/"):
                if name == "..":
                    names = names[:-1]
                elif name not in ("", "."):
                    names.append(name)
            path = "/" + "/".join(names)
        return self._root + path if path[:1] == "/" else path or "."

    def open(self, path, mode):
        if "w" not in mode and "a" not in mode and "+" not in mode and "x" not in mode:
            return self._posix.open(self._path(path), mode)
        return _File(self, path, mode)

    def mkdir(self, path):
        if self.statvfs("/")[3] < 2:
            raise OSError(_ENOSPC)
        self._posix.mkdir(self._path(path))

    def remove(self, path):
        self._posix.remove(self._path(path))

    def rmdir(self, path):
        self._posix.rmdir(self._path(path))

    def rename(self, old, new):
        self._posix.rename(self._path(old), self._path(new))

    def chdir(self, path):
        self._posix.chdir(self._path(path))

    def getcwd(self):
        return self._posix.getcwd()[len(self._root):] or "/"

    def stat(self, path):
        found = self._posix.stat(self._path(path))
        size = 0 if found[0] & 0x4000 else found[6]
        return (found[0] & 0xF000, 0, 0, 0, 0, 0, size, found[8], found[8], found[8])

    def statvfs(self, path):
        _host.send(bytes((_host.STATVFS,)))
        block, blocks, free = unpack("<III", _host.receive_all())
        return (block, block, blocks, free, free, 0, 0, 0, 0, 255)

    def ilistdir(self, path):
        folder = path + "/" if path and path[-1] != "/" else path
        for entry in self._posix.ilistdir(self._path(path)):
            if entry[0][:13] != ".edgekit-tmp-":
                yield (entry[0], entry[1], 0, 0 if entry[1] & 0x4000 else self.stat(folder + entry[0])[6])


class _File(io.IOBase):
    def __init__(self, flash, path, mode):
        if path[:1] != "/":
            folder = flash.getcwd()
            path = folder + ("" if folder[-1] == "/" else "/") + path
        # "w": starts empty. Else with a copy of the old file, which must be there for "r+".
        kind = 0 if "w" in mode else 2 if "r" in mode else 1
        _host.send(bytes((_host.FILE_OPEN, kind)) + path.encode())
        self._size, self._replaced = unpack("<II", _host.receive_all(8))
        self._name = _host.receive_all()
        self._path = path
        self._block = flash._block
        self._flash = flash
        binary = "b" if "b" in mode else ""
        self._file = flash._posix.open(flash._root + "/" + self._name.decode(), ("w+" if kind == 0 else "r+") + binary)
        if kind == 1:
            self._file.seek(0, 2)
        self._changed = kind != 2
        self._reads = kind == 2 or "+" in mode
        _open_files.append(self)

    def write(self, data):
        end = self._file.tell() + len(data.encode() if isinstance(data, str) else data)
        if end > self._size:
            more = -(-end // self._block) + self._size // -self._block
            if more > 0 and more > self._flash.statvfs("/")[3] + self._replaced:
                raise OSError(_ENOSPC)
        self._changed = True
        n = self._file.write(data)
        self._size = max(self._size, self._file.tell())
        return n

    def _readable(self):
        if not self._reads:
            raise OSError(_EBADF)
        return self._file

    def readinto(self, buffer, *n):
        return self._readable().readinto(buffer, *n)

    def read(self, *n):
        return self._readable().read(*n)

    def readline(self, *n):
        return self._readable().readline(*n)

    def readlines(self):
        return list(self)

    def seek(self, *where):
        return self._file.seek(*where)

    def tell(self):
        return self._file.tell()

    def flush(self):
        self._file.flush()
        self._keep(1)

    def close(self):
        if self in _open_files:
            _open_files.remove(self)
            self._file.close()
            self._keep(0)

    def _keep(self, still_open):
        kind = still_open if self._changed else 2
        _host.send(bytes((_host.FILE_CLOSE, kind, len(self._name))) + self._name + self._path.encode())
        if still_open:
            self._replaced = -(-self._size // self._block)

    def ioctl(self, request, argument):
        if request == 1:
            self.flush()
        elif request == 4:
            self.close()
        elif request == 3:
            return argument & 5
        return 0

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()

    def __iter__(self):
        return self

    def __next__(self):
        line = self.readline()
        if not line:
            raise StopIteration
        return line


def close_all():
    """What a soft reset does with the files that a program left open."""
    for file in list(_open_files):
        try:
            file.close()
        except OSError:
            pass
