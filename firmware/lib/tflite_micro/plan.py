"""Where each tensor lies in the arena, so that tensors which are never needed together share memory.

Greedy by size, as TensorFlow Lite Micro plans: the largest block first, each at the lowest place where it meets
no block that is alive at the same time.

>>> plan([(100, 0, 1), (60, 1, 2), (80, 2, 3)])
([0, 100, 0], 160)
"""


def plan(blocks):
    """Place blocks of memory.

    Parameters
    ----------
    blocks : list of (size, first, last)
        Size (bytes) and the first and last step in which the block is needed.

    Returns
    -------
    offsets : list of int
        Offset of each block (bytes), in the order given.
    size : int
        Bytes needed in all.
    """
    # (size, index) as sort key: the same plan on every port.
    order = sorted(range(len(blocks)), key=lambda i: (-blocks[i][0], i))
    offsets = [0] * len(blocks)
    placed = []  # indices, by rising offset
    total = 0
    for i in order:
        size, first, last = blocks[i]
        offset = 0
        for j in placed:
            other_size, other_first, other_last = blocks[j]
            if other_last < first or last < other_first:
                continue
            if offset + size <= offsets[j]:
                break
            offset = max(offset, offsets[j] + other_size)
        offsets[i] = offset
        total = max(total, offset + size)
        place = 0
        while place < len(placed) and offsets[placed[place]] <= offset:
            place += 1
        placed.insert(place, i)
    return offsets, total
