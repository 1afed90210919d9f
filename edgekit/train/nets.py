"""Keras models small enough for a board that computes each multiplication in Python."""

from edgekit.errors import ModelError
from edgekit.train.quiet import keras

KINDS = ("conv", "depthwise", "dense")


def gesture_net(input_shape=(32, 6), classes=6, kind="conv", seed=0):
    """Build an untrained network that tells gestures apart.

    ``conv``: two 1-D convolutions, each after the first sees a longer stretch of time, and an average over time, so
    that it does not matter when in the window the gesture happens. ``depthwise``: the same with separable
    convolutions: each channel is filtered alone, then mixed. ``dense``: a plain network with one hidden layer,
    which must learn every position by itself. None has recurrent layers: boards do not run them.

    Parameters
    ----------
    input_shape : tuple of int
        Shape of the features of one window: ``FeatureParams().shape``.
    classes : int
        Number of outputs.
    kind : {"conv", "depthwise", "dense"}
    seed : int
        Start of the random weights. The same seed gives the same weights.

    Returns
    -------
    keras.Model
        Compiled; its outputs are probabilities, float32 [N, classes].

    Raises
    ------
    ModelError
        The kind is unknown, or the shape does not fit it.
    """
    if kind not in KINDS:
        raise ModelError(f"No gesture net of kind {kind!r}; choose one of {', '.join(KINDS)}.")
    if kind != "dense" and (len(input_shape) != 2 or input_shape[0] < 16):
        raise ModelError(f"A {kind} net expects features of shape (steps, channels) with at least 16 steps, found "
                         f"{tuple(input_shape)}. For summary features, which have no time axis, use kind='dense'.")
    k = keras()
    k.utils.set_random_seed(seed)
    layers = k.layers
    stack = {
        "conv": lambda: [
            layers.Conv1D(12, 5, strides=2, padding="same", activation="relu", name="conv_1"),
            layers.MaxPooling1D(2, name="pool_1"),
            layers.Conv1D(24, 5, padding="same", activation="relu", name="conv_2"),
            layers.GlobalAveragePooling1D(name="average"),
        ],
        "depthwise": lambda: [
            layers.Conv1D(16, 3, strides=2, padding="same", activation="relu", name="conv_1"),
            layers.DepthwiseConv1D(5, padding="same", activation="relu", name="depthwise_1"),
            layers.Conv1D(24, 1, activation="relu", name="mix_1"),
            layers.MaxPooling1D(2, name="pool_1"),
            layers.DepthwiseConv1D(5, padding="same", activation="relu", name="depthwise_2"),
            layers.Conv1D(24, 1, activation="relu", name="mix_2"),
            layers.GlobalAveragePooling1D(name="average"),
        ],
        "dense": lambda: [
            layers.Flatten(name="flatten"),
            layers.Dense(48, activation="relu", name="hidden"),
        ],
    }[kind]()
    model = k.Sequential([k.Input(input_shape, name="features"), *stack,
                          layers.Dense(classes, activation="softmax", name="gesture")], name=f"gesture_{kind}")
    _compile(model, learning_rate=0.004)
    return model


def _compile(model, learning_rate):
    # No XLA: compiling takes longer than training a net this small.
    model.compile(optimizer=keras().optimizers.Adam(learning_rate), loss="sparse_categorical_crossentropy",
                  metrics=["accuracy"], jit_compile=False)
