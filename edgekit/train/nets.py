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


def keyword_net(input_shape=(49, 10), classes=4, channels=48, blocks=4, seed=0, steps=None):
    """Build an untrained network that tells words apart by their MFCC: separable convolutions along time.

    The coefficients of a frame are channels, as the axes of a motion sensor are: neighbours among them are not alike,
    so there is nothing to slide over. The first convolution looks at 5 frames and halves their number; each block then
    filters every channel alone over 9 steps (a third of a second), and mixes them. An average over time at the end:
    where in the second the word is does not matter.

    Parameters
    ----------
    input_shape : tuple of int
        Frames and coefficients: ``AudioParams().shape``.
    classes : int
    channels : int
        Width of every layer.
    blocks : int
        Separable convolutions.
    seed : int
        Start of the random weights.
    steps : int, optional
        Steps of training that there will be; the learning rate then falls to 0 along half a cosine. Default: it stays.

    Returns
    -------
    keras.Model
        Compiled; its outputs are probabilities, float32 [N, classes].

    Raises
    ------
    ModelError
        The shape is not frames and coefficients, at least 16 frames.
    """
    if len(input_shape) != 2 or input_shape[0] < 16:
        raise ModelError(f"A keyword net expects features of shape (frames, coefficients) with at least 16 frames, found "
                         f"{tuple(input_shape)}. Take AudioParams().shape.")
    k = keras()
    k.utils.set_random_seed(seed)
    layers = k.layers
    frames, coefficients = input_shape
    # A convolution along time is one in two dimensions over a picture one pixel wide: one reshape, not one per layer.
    stack = [layers.Reshape((frames, 1, coefficients), name="as_channels"),
             layers.Conv2D(channels, (5, 1), strides=(2, 1), padding="same", use_bias=False, name="conv"),
             layers.BatchNormalization(name="norm"), layers.ReLU(name="relu")]
    for i in range(1, blocks + 1):
        stack += [layers.DepthwiseConv2D((9, 1), padding="same", use_bias=False, name=f"depthwise_{i}"),
                  layers.BatchNormalization(name=f"depthwise_norm_{i}"), layers.ReLU(name=f"depthwise_relu_{i}"),
                  layers.Conv2D(channels, 1, use_bias=False, name=f"mix_{i}"),
                  layers.BatchNormalization(name=f"mix_norm_{i}"), layers.ReLU(name=f"mix_relu_{i}")]
    model = k.Sequential([k.Input(input_shape, name="features"), *stack, layers.GlobalAveragePooling2D(name="average"),
                          layers.Dropout(0.2, seed=seed, name="dropout"),
                          layers.Dense(classes, activation="softmax", name="word")], name="keyword")
    _compile(model, k.optimizers.schedules.CosineDecay(0.004, steps) if steps else 0.004)
    return model
