"""A log on the flash that never grows and survives a power cut: the newest records of a fixed size, in one file.

Example::

    from ring import Ring

    log = Ring("/soil.log", record_bytes=8, count=200)  # made if it is not there, else it goes on
    log.append(b"8 bytes.")                             # on the flash when this returns
    for number, payload in log:                         # oldest first
        print(number, payload)

Every record has its place in the file, a running number and a CRC-16. A record is written once, in one place, and
nothing else is touched. If the power goes meanwhile, the CRC of that one record is wrong: it is skipped, all older ones
remain, and the next one takes its place. The file has one place more than it keeps records, so the place that is being
written is never one of the ``count`` that you are promised. Numbers begin at 1 and never repeat; after 2**30 records
the log is full for good (at one each second: 34 years).

``append`` takes no memory; ``for`` does.

What the file system must give: a write that is flushed stays, and a write touches no other byte. littlefs (ESP32,
RP2040, nRF52) keeps the old file until the new one is there, so it gives more. FAT in the flash of an STM32 gives less:
a block is erased and written again as a whole, and a power cut in that moment can take the neighbours of a record with
it. Format it as littlefs, or log to an SD card.

Flash wears out: a block bears some ten thousand to a hundred thousand times. littlefs writes the file anew from the
changed place to its end and spreads that over the free blocks: keep the file below one block (4096 bytes), and log
events and hours, not samples. 144 records a day on 100 free blocks are some 500 writes of each block in a year.
"""

import os
import sys

_MAGIC = b"ring1\n"
_NEW = ".new"  # after the name of a file that is being made
_HEADER = 16  # magic, record_bytes, count, CRC
_EXTRA = 6  # of each record: number before it, CRC after it
_LAST = 1 << 30

# CRC-16/CCITT, as ITU-T V.41: x**16 + x**12 + x**5 + 1, four bits at a time. A CRC-32 would take memory each time: it
# needs more than the 31 bits of a small integer.
_CRC = (0x0000, 0x1021, 0x2042, 0x3063, 0x4084, 0x50A5, 0x60C6, 0x70E7,
        0x8108, 0x9129, 0xA14A, 0xB16B, 0xC18C, 0xD1AD, 0xE1CE, 0xF1EF)


class Ring:
    """The newest ``count`` records of ``record_bytes`` bytes each in the file ``path``.

    ``next``: the number that the next record gets. ``renew``: a file of other sizes, or none of a Ring's, is replaced by
    an empty one; else that is an error.
    """

    def __init__(self, path, record_bytes, count, renew=False):
        if not 0 < record_bytes <= 0xFFFF or not 0 < count <= 0xFFFF:
            raise ValueError("expected records of 1 to 65535 bytes and a count of 1 to 65535; found %r bytes, count %r"
                             % (record_bytes, count))
        self.path = path
        self.record_bytes = record_bytes
        self.count = count
        self.next = 1
        self._size = record_bytes + _EXTRA
        self._record = bytearray(self._size)
        if not _exists(path):
            self._make()
        self._file = open(path, "r+b")
        found = self._file.read(_HEADER)
        if found != self._header():
            self._file.close()
            if not renew:
                self._refuse(found)
            os.remove(path)
            self._make()
            self._file = open(path, "r+b")
        for slot in range(count + 1):
            number = self._read(slot)
            if number >= self.next:
                self.next = number + 1

    def append(self, payload):
        """Write one record, ``record_bytes`` bytes; it is on the flash when this returns. Returns its number."""
        if len(payload) != self.record_bytes:
            raise ValueError("a record of %d bytes was expected, %d found" % (self.record_bytes, len(payload)))
        number = self.next
        if number >= _LAST:
            raise ValueError("%s has had 2**30 records: remove it and begin a new one" % self.path)
        record = self._record
        record[0] = number & 0xFF
        record[1] = number >> 8 & 0xFF
        record[2] = number >> 16 & 0xFF
        record[3] = number >> 24
        for i in range(self.record_bytes):
            record[4 + i] = payload[i]
        crc = _crc(record, self._size - 2)
        record[-2] = crc & 0xFF
        record[-1] = crc >> 8
        file = self._file
        try:
            file.seek(self._place(number % (self.count + 1)))
            file.write(record)
            file.flush()
            _sync()
        except OSError as error:
            raise OSError(error.args[0], "record %d could not be written to %s; the older ones are there. "
                                         "If the flash is full, remove files" % (number, self.path))
        self.next = number + 1
        return number

    def __iter__(self):
        return self.since(0)

    def since(self, first):
        """Go through the records from number ``first`` on, oldest first: ``(number, payload)``."""
        newest = self.next - 1
        for number in range(max(first, newest - self.count + 1, 1), newest + 1):
            if self._read(number % (self.count + 1)) == number:
                yield number, bytes(self._record[4:-2])

    def __len__(self):
        return sum(1 for _ in self)

    def close(self):
        """Close the file; nothing is lost without it."""
        self._file.close()

    def _place(self, slot):
        return _HEADER + slot * self._size

    def _read(self, slot):
        """Fill ``_record`` from a place of the file. Its number, or 0 if there is no whole record."""
        record = self._record
        self._file.seek(self._place(slot))
        if self._file.readinto(record) != self._size:
            return 0
        if _crc(record, self._size - 2) != record[-2] | record[-1] << 8 or record[3] >= 0x40:
            return 0
        number = record[0] | record[1] << 8 | record[2] << 16 | record[3] << 24
        return number if number % (self.count + 1) == slot else 0

    def _header(self):
        header = bytearray(_HEADER)
        header[:len(_MAGIC)] = _MAGIC
        header[8:10] = self.record_bytes.to_bytes(2, "little")
        header[10:12] = self.count.to_bytes(2, "little")
        header[14:16] = _crc(header, 14).to_bytes(2, "little")
        return header

    def _make(self):
        """All of it under another name first: a file of this name is always whole. Zeros are no record."""
        try:
            with open(self.path + _NEW, "wb") as file:
                file.write(self._header())
                for _ in range(self.count + 1):
                    file.write(self._record)
                file.flush()
            _sync()
            os.rename(self.path + _NEW, self.path)
        except OSError as error:
            raise OSError(error.args[0], "%s needs %d bytes and could not be made. If the flash is full, remove files"
                          % (self.path, self._place(self.count + 1)))

    def _refuse(self, found):
        if len(found) < _HEADER or found[:6] != _MAGIC or _crc(found, 14) != found[14] | found[15] << 8:
            raise ValueError("%s is no log of ring, or is damaged: remove it, or take another name" % self.path)
        raise ValueError("%s holds %d records of %d bytes, expected %d of %d: open it with its own sizes, or remove it"
                         % (self.path, found[10] | found[11] << 8, found[8] | found[9] << 8, self.count,
                            self.record_bytes))


def _crc(data, size):
    crc = 0xFFFF
    for i in range(size):
        byte = data[i]
        crc = (crc << 4 & 0xFFFF) ^ _CRC[crc >> 12 ^ byte >> 4]
        crc = (crc << 4 & 0xFFFF) ^ _CRC[crc >> 12 ^ byte & 15]
    return crc


def _exists(path):
    try:
        os.stat(path)
        return True
    except OSError:
        return False


def _sync():
    # What a driver of the flash still holds back. On a computer it would write all disks.
    if sys.implementation.name == "micropython" and hasattr(os, "sync"):
        os.sync()
