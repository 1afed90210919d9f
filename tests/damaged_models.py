"""Small models of every operator, and ways to damage a file."""

import random_models
import random_operators as ops
import random_recurrent

ONE_OPERATOR = (*ops.BINARY, *ops.UNARY, *ops.REDUCING, *ops.OTHERS)
HUGE = (0xFFFFFFFF, 0x7FFFFFFF, 0x80000000, 0, 1, 65536)


def whole_files():
    files = [random_models.random_model(seed) for seed in range(60)]
    files += [ops.random_moves(seed) for seed in range(60)]
    files += [make(seed) for make in (random_recurrent.random_svdf, random_recurrent.random_lstm) for seed in range(8)]
    return files + [ops.random_operator(kind, seed) for kind in ONE_OPERATOR for seed in range(3)]


def damaged(data, rng):
    """Bits flipped, bytes and words replaced (offsets, counts, sizes), or the end cut off."""
    data = bytearray(data)
    for _ in range(rng.integers(1, 6)):
        way, at = rng.integers(5), int(rng.integers(len(data) - 4))
        if way == 0:
            data[at] ^= 1 << rng.integers(8)
        elif way == 1:
            data[at] = rng.integers(256)
        elif way == 2:
            data[at:at + 4] = int(rng.choice(HUGE)).to_bytes(4, "little")
        elif way == 3:
            data = data[:rng.integers(12, len(data) + 1)]
        else:
            at -= at % 4
            data[at:at + 4] = int(rng.integers(0, 300)).to_bytes(4, "little")
    return bytes(data)
