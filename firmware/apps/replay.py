"""Run the model on windows from a file instead of the sensor, and send what it computes to the computer.

``edgekit.deploy.parity`` uses it to compare the board with the computer, to the last bit. For each window it sends a
frame FEATURES (the model's input), for each layer a frame LAYER if asked, then a frame RESULT (the model's output).
"""

import sys
from array import array

import bundle
import tflite_micro as tflm
from frames import FEATURES, LAYER, RESULT, Encoder
from motion import transform_for


def main(name="gesture", path="/windows.bin", layers=False):
    """``path``: windows of int16 samples, one after the other, low byte first."""
    about = bundle.load(name)
    params = about["params"]
    model = tflm.load_model(about["model"])
    transform = transform_for(params)
    window = array("h", bytes(2 * params["channels"] * params["window"]))
    longest = max(len(layer.values) for layer in model.layers)
    encoder = Encoder(sys.stdout.buffer.write, max_payload=max(longest, len(model.input), len(model.output)))

    def send_layer(layer):
        encoder.send(LAYER, bytes_of(layer.values))

    with open(path, "rb") as file:
        while file.readinto(window):
            transform.compute(window, model.input)
            # Before invoke: later layers may use the input's memory.
            encoder.send(FEATURES, bytes_of(model.input))
            model.invoke(send_layer if layers else None)
            encoder.send(RESULT, bytes_of(model.output))


def bytes_of(values):
    """int8 values as bytes 0 to 255."""
    return bytes(value & 0xFF for value in values)
