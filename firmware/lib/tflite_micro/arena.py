"""The memory for all values that pass between layers: who shares it, where each tensor lies, one view for each.

There is one block of memory for each type of value (int8, int16, float32, int32, int64), because MicroPython has no other way
to see floats in a block of bytes; a full int8 model has one block.
"""

from array import array

from .plan import plan
from .reader import FLOAT32, INT8, INT16, INT32, INT64

MOST_BYTES = 1 << 23
_CODES = {INT8: "b", INT16: "h", FLOAT32: "f", INT32: "i", INT64: "q"}
_ITEM_BYTES = {"b": 1, "h": 2, "f": 4, "i": 4, "q": 8}


def allocate(inputs, outputs, layers, kernels):
    """Plan the memory, take it, and give each layer its views.

    Parameters
    ----------
    inputs, outputs : list of Tensor
        The model's.
    layers : list of Prepared
        In the order in which they run.
    kernels : Kernels or None
        Kernels in C, which may want the memory in a place of their own.

    Returns
    -------
    views : dict
        View of each tensor, by its index.
    memory : dict
        The blocks, by type code; `view` makes views of them. ``layer.places`` says where the outputs lie.
    arena_bytes : int

    Raises
    ------
    ValueError, MemoryError
        More than any small board has; more than this one has in one piece.
    """
    owners = _share(inputs, outputs, layers)
    spans = _spans(owners, inputs, outputs, layers)
    places, sizes = {}, {}
    for code in sorted(_ITEM_BYTES):
        chosen = [span for span in spans if span[0] == code]
        # Whole words of bytes, so that C kernels may read words.
        blocks = [((span[2] + 3) & ~3 if code == "b" else span[2], span[3], span[4]) for span in chosen]
        offsets, sizes[code] = plan(blocks)
        for span, offset in zip(chosen, offsets):
            places[span[1]] = (code, offset)
    arena_bytes = sum([size * _ITEM_BYTES[code] for code, size in sizes.items()])
    if arena_bytes > MOST_BYTES:
        raise ValueError("the model needs %d bytes between its layers, more than any small board has; use fewer "
                         "channels or a shorter input" % arena_bytes)
    try:
        memory = {}
        for code, size in sizes.items():
            if size:
                block = array(code, bytes(size * _ITEM_BYTES[code]))
                memory[code] = memoryview(kernels.place(block) if kernels else block)
    except MemoryError:
        raise MemoryError("the model needs an arena of %d bytes in one piece; free memory (gc.collect()), load the "
                          "model first, or use a smaller one" % arena_bytes)

    views = {}
    for tensor in inputs + _states(layers):
        views[tensor.index] = view(memory, tensor, places[owners[tensor.index]][1])
    for i, layer in enumerate(layers):
        for tensor in layer.inputs:
            if tensor.is_constant:
                views[tensor.index] = tensor.view()
        layer.places = [places[owners[tensor.index]][1] for tensor in layer.outputs]
        for tensor, place in zip(layer.outputs, layer.places):
            views[tensor.index] = view(memory, tensor, place)
        layer.x = one_or_all([views[tensor.index] for tensor in layer.inputs])
        layer.y = one_or_all([views[tensor.index] for tensor in layer.outputs])
        if layer.scratch_bytes:
            place = places[-1 - i][1]
            layer.scratch = memory["b"][place : place + layer.scratch_bytes]
    return views, memory, arena_bytes


def view(memory, tensor, place):
    """The values of a tensor that lies at ``place`` of the block of its type."""
    return memory[_CODES[tensor.type]][place : place + tensor.size]


def _share(inputs, outputs, layers):
    """Owner of the memory of each tensor, by index: itself, or the tensor whose memory it takes over.

    A reshaped tensor is its source. The output of an element-wise layer takes the place of an input that nobody needs
    any more.
    """
    owners, last = {}, {}
    for tensor in inputs:
        owners[tensor.index] = tensor.index
    for tensor in _states(layers):
        owners[tensor.index] = tensor.index
    for step, layer in enumerate(layers):
        for tensor in layer.inputs:
            if tensor.index in owners:
                last[owners[tensor.index]] = step
        for tensor in layer.outputs:
            owners[tensor.index] = owners[layer.inputs[0].index] if layer.kernel is None else tensor.index
    for tensor in outputs + _states(layers):
        last[owners[tensor.index]] = len(layers)
    for step, layer in enumerate(layers):
        if not layer.in_place:
            continue
        y = layer.outputs[0]
        for x in layer.inputs:
            if x.index not in owners or x.size != y.size or x.type != y.type:
                continue
            owner, old = owners[x.index], owners[y.index]
            if last.get(owner) == step:
                for index in owners:
                    if owners[index] == old:
                        owners[index] = owner
                last[owner] = last.get(old, step)
                break
    return owners


def _spans(owners, inputs, outputs, layers):
    """(type code, owner, items, first step, last step) of each piece of memory; scratch of layer i is -1 - i."""
    spans = {}

    def use(tensor, step):
        owner = owners[tensor.index]
        if owner not in spans:
            spans[owner] = [_CODES[tensor.type], owner, tensor.size, step, step]
        spans[owner][4] = step

    for tensor in inputs + _states(layers):
        use(tensor, 0)
    for step, layer in enumerate(layers):
        for tensor in layer.inputs:
            if tensor.index in owners:
                use(tensor, step)
        for tensor in layer.outputs:
            use(tensor, step)
        if layer.scratch_bytes:
            spans[-1 - step] = ["b", -1 - step, layer.scratch_bytes, step, step]
    for tensor in outputs + _states(layers):
        use(tensor, len(layers))
    return [spans[owner] for owner in sorted(spans)]


def _states(layers):
    """What layers remember: it keeps its memory for good."""
    return [tensor for layer in layers for tensor in layer.states]


def one_or_all(views):
    return views[0] if len(views) == 1 else views
