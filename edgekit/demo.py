"""``make demo``: the whole path in the terminal, from a sensor's first sample to a prediction that switches a pin."""

import time

import numpy as np

from edgekit.board.connect import connect
from edgekit.capture import capture
from edgekit.dataset import load_dataset
from edgekit.deploy import gesture_bundle, parity, recognise_live, score_events
from edgekit.errors import EdgekitError
from edgekit.paths import atomic_write, work_dir
from edgekit.recipes.gesture import convert_all, further_windows, leaky_score, split, train_gesture_net
from edgekit.signals import gestures

PARITY_WINDOWS = 100
LEAST_ACCURACY = 0.95
LEAST_RECOGNISED = 20


def main() -> int:
    """Run every step and print what it shows.

    Returns
    -------
    int
        0 if the board gave the reference's bits, the int8 model knew strangers, and at least 20 gestures were right.
    """
    began = time.perf_counter()
    print("edgekit: from a sensor's first sample to a prediction that switches a pin.")
    print("All data are synthetic. The board is simulated; it runs the same files as a real one.\n")
    with connect("sim") as board:
        _capture(board)
        dataset = load_dataset("gestures")
        parts = _split(dataset)
        model = _train(dataset, parts)
        files, accuracy = _convert(model, parts)
        same = _deploy(board, parts, files)
        recognised = _recognise(board)
    seconds = time.perf_counter() - began
    print(f"\nThe whole path took {seconds:.0f} s on this computer. Now do it step by step: make lab")
    return 0 if same and accuracy >= LEAST_ACCURACY and recognised >= LEAST_RECOGNISED else 1


def _step(number, text):
    print(f"\n{number}  {text}", flush=True)


def _capture(board):
    _step(1, "CAPTURE: somebody waves for four seconds; the board reads its sensor 100 times a second")
    played = gestures.make_recording("wave", "s01", duration_s=5.0)
    board.world.play(played)
    recording = capture(board, 4.0, label="wave", subject="s01", progress=False)
    first = ", ".join(f"{value:.2f} {unit}" for value, unit in zip(recording.physical()[0], recording.units, strict=True))
    path = work_dir() / "demo_wave.csv"
    recording.save(path)
    print(f"   {len(recording.samples)} samples x {len(recording.channels)} channels, {recording.lost} lost "
          f"({recording.source}); first sample {first}")
    print(f"   saved as {path.parent.name}/{path.name}")


def _split(dataset):
    _step(2, "WINDOW and SPLIT: cut into windows, keep four people for the test")
    parts = split(dataset)
    for name in ("train", "validation", "test"):
        windows = getattr(parts, name)
        people = sorted(set(windows.subject.tolist()))
        print(f"   {name:<11} {len(windows):>5} windows of {len(people):>2} people: {' '.join(people)}")
    _step(3, "FEATURES: the same integers on the computer and on the board")
    features = parts.features("train")
    print(f"   {parts.train.x.shape[1:]} int16 counts -> {features.shape[1:]} int8 features, "
          f"from {features.min()} to {features.max()}")
    return parts


def _train(dataset, parts):
    _step(4, "TRAIN a small network, and once more with a careless split, to see how that flatters")
    model, history = train_gesture_net(parts)
    leaky = leaky_score(dataset)
    print(f"   {model.count_params()} parameters, {len(history['loss'])} epochs")
    print(f"   careless: windows of the same people in training and test (float)   {leaky}")
    return model


def _convert(model, parts):
    from edgekit.convert import run
    from edgekit.features.motion import waveform
    from edgekit.tflite import report
    from edgekit.train import score, subject_interval

    _step(5, "CONVERT to .tflite: float, dynamic range, int8")
    files = convert_all(model, parts)
    test = parts.features("test")
    for kind, content in files.items():
        result = score(parts.test.y, run(content, test).argmax(axis=1))
        print(f"   {kind:<8} {len(content):>6} bytes   on four strangers {result}")
    low, high = subject_interval(parts.test.y, result.predicted, parts.test.subject)
    print(f"   int8, when other strangers come (bootstrap over people): {low:.1%} to {high:.1%}")
    further = further_windows(parts.params)
    last_look = score(further.y, run(files["int8"], waveform(further.x, parts.params)).argmax(axis=1))
    print(f"   int8, {len(set(further.subject.tolist()))} further people, with whom nothing was chosen: {last_look}\n")
    print("   " + str(report(files["int8"])).replace("\n", "\n   "))
    return files, result.accuracy


def _deploy(board, parts, files):
    _step(6, "DEPLOY: check that it fits, copy, compare hashes, rename; then compare every answer")
    for kind, name in (("float", "gesture_float.tflite"), ("int8", "gesture_int8.tflite")):
        with atomic_write(work_dir() / name) as temporary:
            temporary.write_bytes(files[kind])
    params_path = work_dir() / "gesture_features.json"
    parts.params.save(params_path)
    bundle = gesture_bundle()
    bundle.deploy(board)
    chosen = np.random.default_rng(0).choice(len(parts.test), PARITY_WINDOWS, replace=False)
    result = parity(board, bundle, parts.test.x[chosen], float_model=files["float"], progress=True)
    print("   " + str(result).replace("\n", "\n   "))
    print(f"   mismatches that must not be: {result.mismatches}")
    return result.mismatches == 0


def _recognise(board):
    _step(7, "RECOGNISE: a stranger makes 25 gestures; the board names each and switches its LED")
    recording, truth = gestures.live()

    def show(event):
        done = next((label for start_s, stop_s, label in truth if start_s <= event.time_s <= stop_s + 1.3), "nothing")
        print(f"   {event.time_s:6.2f} s   recognised {event.label:<11} score {event.score:.2f}   done: {done}")

    led = board.eval("__import__('boards').pins.LED")
    changes_before = len(board.world.pin_history(led))
    events = recognise_live(board, recording, progress=False, on_event=show)
    changes = len(board.world.pin_history(led)) - changes_before
    score = score_events(events, truth)
    print(f"   {score}; the LED on pin {led} switched {changes} times (simulated)")
    return score.right


if __name__ == "__main__":
    try:
        raise SystemExit(main())
    except EdgekitError as error:
        raise SystemExit(f"edgekit: {error}") from None
