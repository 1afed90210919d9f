"""Frames: any payload comes through whole or not at all, and text stays text."""

import struct
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgekit.twin import board_module

frames = board_module("frames")

# The same examples every time: the CRC lets one damaged frame in 2 ** 32 through.
steady = settings(derandomize=True, max_examples=200, deadline=None)
payloads = st.lists(st.binary(max_size=60), min_size=1, max_size=5)
# Bytes that need an escape come often.
payloads = st.one_of(payloads, st.lists(st.lists(st.sampled_from([0xC0, 0xDB, 0xDC, 0x04, 0x80, 0])).map(bytes),
                                        min_size=1, max_size=5))


def encode(payloads, texts=()):
    wire = bytearray()
    encoder = frames.Encoder(wire.extend, max_payload=256)
    for i, payload in enumerate(payloads):
        encoder.send(i % 64, payload)
        if i < len(texts):
            wire += texts[i].encode()
    return bytes(wire)


def decode(wire, pieces=()):
    """Decode; `pieces` are where the wire is cut."""
    decoder = frames.Decoder()
    items = []
    start = 0
    for stop in [*sorted(min(p, len(wire)) for p in pieces), len(wire)]:
        items += decoder.feed(wire[start:stop])
        start = stop
    found = [item for item in items if isinstance(item, frames.Frame)]
    text = b"".join(item for item in items if isinstance(item, bytes))
    return found, text, decoder


@given(st.binary(max_size=50), st.integers(0, 63), st.integers(0, 0xFFFF))
def test_a_frame_is_what_the_description_says(payload, type_, seq):
    raw = struct.pack("<BH", 0x80 | type_, seq) + payload
    raw += struct.pack("<I", zlib.crc32(raw))
    for byte, escaped in ((b"\xDB", b"\xDB\xDD"), (b"\xC0", b"\xDB\xDC"), (b"\x04", b"\xDB\xDE")):
        raw = raw.replace(byte, escaped)
    wire = bytearray()
    encoder = frames.Encoder(wire.extend)
    encoder.seq = seq
    encoder.send(type_, payload)
    assert wire == b"\xC0" + raw + b"\xC0"


@steady
@given(payloads, st.lists(st.text(max_size=10), max_size=5), st.lists(st.integers(0, 700), max_size=5))
def test_payloads_and_text_come_through_in_any_pieces(payloads, texts, pieces):
    texts = [text.replace("\x04", "") for text in texts]
    wire = encode(payloads, texts)
    found, text, decoder = decode(wire, pieces)
    assert [frame.payload for frame in found] == payloads
    assert [frame.seq for frame in found] == list(range(len(payloads)))
    assert [frame.type for frame in found] == [i % 64 for i in range(len(payloads))]
    assert text.decode() == "".join(texts[:len(payloads)])
    assert (decoder.lost, decoder.damaged) == (0, 0)


@given(payloads)
def test_the_end_mark_of_the_raw_repl_is_never_inside_a_frame(payloads):
    assert 0x04 not in encode(payloads)


@steady
@given(payloads, st.integers(0, 10**6), st.integers(1, 255))
def test_a_flipped_byte_loses_at_most_its_frame(payloads, where, flip):
    wire = bytearray(encode(payloads))
    wire[where % len(wire)] ^= flip
    found, _, _ = decode(bytes(wire))
    assert_only_true_frames(found, payloads, may_lose=2)  # an end mark is shared by two frames


@steady
@given(payloads, st.integers(0, 10**6))
def test_a_dropped_byte_loses_at_most_its_frame(payloads, where):
    wire = encode(payloads)
    where %= len(wire)
    found, _, _ = decode(wire[:where] + wire[where + 1:])
    assert_only_true_frames(found, payloads, may_lose=1)


def assert_only_true_frames(found, payloads, may_lose):
    for frame in found:
        assert frame.payload == payloads[frame.seq]
    assert len(found) >= len(payloads) - may_lose


def test_lost_and_damaged_frames_are_counted():
    parts = [encode([b"0", b"1", b"2", b"3", b"4"])]
    wire = parts[0]
    size = len(wire) // 5
    second_gone = wire[:size] + wire[2 * size:]
    found, _, decoder = decode(second_gone)
    assert [frame.seq for frame in found] == [0, 2, 3, 4]
    assert (decoder.lost, decoder.damaged) == (1, 0)

    broken = bytearray(wire)
    broken[2 * size + 4] ^= 1
    found, _, decoder = decode(bytes(broken))
    assert [frame.seq for frame in found] == [0, 1, 3, 4]
    assert (decoder.lost, decoder.damaged) == (1, 1)


def test_text_after_a_frame_without_end_is_not_swallowed_for_ever():
    wire = encode([b"abc"])[:-1]
    found, text, decoder = decode(wire + b"\x04>hello")
    assert found == [] and text == b"\x04>hello" and decoder.damaged == 1


def test_seq_wraps_around():
    wire = bytearray()
    encoder = frames.Encoder(wire.extend)
    encoder.seq = 0xFFFF
    decoder = frames.Decoder()
    decoder._next_seq = 0xFFFF
    encoder.send(1, b"a")
    encoder.send(1, b"b")
    assert [frame.seq for frame in decoder.feed(bytes(wire))] == [0xFFFF, 0]
    assert decoder.lost == 0


def test_a_payload_that_is_too_long_names_both_lengths():
    encoder = frames.Encoder(lambda data: None, max_payload=4)
    with pytest.raises(ValueError, match="at most 4 bytes was expected, 5 found"):
        encoder.send(0, b"12345")
