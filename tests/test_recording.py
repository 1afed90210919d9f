"""Recording: what it refuses, three file formats that lose nothing, faults and cleaning."""

import json
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from edgekit.errors import DataError
from edgekit.recording import Fault, Recording, load_sound, pack_npz

SUFFIXES = (".csv", ".npz", ".wav")
AXES = ("ax", "ay", "az")


def motion(n=50, seed=0):
    samples = np.random.default_rng(seed).integers(-5000, 5000, (n, 3)).astype(np.int16)
    return Recording(samples, 100.0, AXES, ("g", "g", "g"), (4 / 32768,) * 3, "wave", "s01", "synthetic", 7)


def refuse(path, *words, content=None, **options):
    """Loading must fail, and the message must have these words."""
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(DataError) as caught:
        Recording.load(path, **options)
    message = str(caught.value)
    for word in words:
        assert word in message, message
    return message


# ---- the object

def test_times_and_units():
    recording = motion(200)
    assert recording.duration_s == 2.0
    assert recording.time_s[:3].tolist() == [0.0, 0.01, 0.02]
    assert recording.physical().dtype == np.float32
    assert recording.physical()[5, 1] == np.float32(recording.samples[5, 1] * 4 / 32768)
    assert recording.channels == AXES and len(recording) == 200


def test_samples_cannot_be_changed_from_outside():
    samples = np.zeros((4, 1), np.int16)
    recording = Recording(samples, 10)
    samples[0] = 9
    assert recording.samples[0, 0] == 0
    with pytest.raises(ValueError, match="read-only"):
        recording.samples[0] = 1


def test_one_dimension_is_one_channel():
    recording = Recording(np.zeros(16, np.float32), 16000)
    assert recording.samples.shape == (16, 1) and recording.channels == ("ch0",) and recording.scale == (1.0,)


def test_slice_in_seconds():
    recording = motion(200)
    part = recording.slice(0.5, 1.0)
    assert np.array_equal(part.samples, recording.samples[50:100]) and part.label == "wave"
    assert len(recording.slice(1.5, 99)) == 50
    with pytest.raises(DataError, match="runs from 0 s to 2 s"):
        recording.slice(2.5, 3)


def test_equality_looks_at_everything():
    assert motion() == motion()
    assert motion() != motion(seed=1)
    assert motion() != motion().with_(label="punch")
    assert motion() != motion().with_(samples=motion().samples.astype(np.float32))


@pytest.mark.parametrize("changes, words", [
    ({"samples": np.zeros((3, 3, 3), np.int16)}, "shape [n, channels]"),
    ({"samples": np.zeros((0, 3), np.int16)}, "shape [n, channels]"),
    ({"samples": np.zeros((5, 3))}, "found float64"),
    ({"samples": np.full((5, 3), np.nan, np.float32)}, "is nan: expected finite"),
    ({"rate_hz": 0}, "expected samples per second above 0"),
    ({"rate_hz": "fast"}, "The rate is 'fast'"),
    ({"rate_hz": float("nan")}, "expected samples per second"),
    ({"channels": ("ax", "ay")}, "3 channels, but channels has 2"),
    ({"channels": ("ax", "ax", "az")}, "same name"),
    ({"channels": ("ax", "a,y", "az")}, "cannot name a channel"),
    ({"channels": ("ax", "7", "az")}, "cannot name a channel"),
    ({"units": ("g",)}, "units has 1"),
    ({"scale": (1, float("inf"), 1)}, "not finite"),
])
def test_what_does_not_fit_is_refused(changes, words):
    with pytest.raises(DataError) as caught:
        motion().with_(**changes)
    assert words in str(caught.value)


# ---- round trips

names = st.lists(st.text(st.characters(codec="utf-8"), max_size=8), min_size=4, max_size=4)
rates = st.one_of(st.integers(1, 48000).map(float), st.floats(0.01, 1e5))
int16s = arrays.arrays(np.int16, st.tuples(st.integers(1, 9), st.integers(1, 3)))
float32s = arrays.arrays(np.float32, st.tuples(st.integers(1, 9), st.integers(1, 3)),
                         elements=st.floats(width=32, allow_nan=False, allow_infinity=False))
axis = st.sampled_from(["ax", "gyro z", "temp_c", "β", "x.y"])


@pytest.mark.parametrize("suffix", SUFFIXES)
@settings(deadline=None, max_examples=60)
@given(samples=st.one_of(int16s, float32s), rate_hz=rates, texts=names, lost=st.integers(0, 10**6),
       scale=st.floats(1e-9, 1e9), data=st.data())
def test_every_format_gives_back_all(tmp_path_factory, suffix, samples, rate_hz, texts, lost, scale, data):
    count = samples.shape[1]
    channels = data.draw(st.lists(axis, min_size=count, max_size=count, unique=True))
    recording = Recording(samples, rate_hz, channels, [texts[0]] * count, [scale] * count, *texts[1:], lost)
    path = tmp_path_factory.mktemp("trip") / f"r{suffix}"
    back = Recording.load(recording.save(path))
    assert back.about() == recording.about()
    assert back.samples.dtype == samples.dtype
    assert back.samples.tobytes() == samples.tobytes()      # the bits: minus zero too


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_same_recording_gives_the_same_bytes(tmp_path, suffix):
    first = motion().save(tmp_path / f"a{suffix}").read_bytes()
    assert motion().save(tmp_path / f"b{suffix}").read_bytes() == first


def test_wav_opens_in_other_programs(tmp_path):
    import soundfile

    recording = motion().with_(rate_hz=16000)
    samples, rate = soundfile.read(recording.save(tmp_path / "a.wav"), dtype="int16")
    assert rate == 16000 and np.array_equal(samples, recording.samples)
    loud = recording.with_(samples=(recording.samples / 32768).astype(np.float32))
    samples, rate = soundfile.read(loud.save(tmp_path / "b.wav"), dtype="float32")
    assert np.array_equal(samples, loud.samples)


def test_wav_of_another_program(tmp_path):
    import soundfile

    soundfile.write(tmp_path / "a.wav", np.array([0, 16384, -32768], np.int16), 8000)
    recording = Recording.load(tmp_path / "a.wav")
    assert recording.rate_hz == 8000 and recording.source == "file" and recording.units == ("full scale",)
    assert recording.physical()[:, 0].tolist() == [0.0, 0.5, -1.0]


# ---- csv of other programs

def test_plain_csv_needs_a_rate(tmp_path):
    path = tmp_path / "plain.csv"
    refuse(path, "how many samples", "rate_hz=", "time_s", content="ax,ay\n1,2\n3,4\n")
    recording = Recording.load(path, rate_hz=50)
    assert recording.samples.tolist() == [[1, 2], [3, 4]] and recording.samples.dtype == np.int16
    assert recording.rate_hz == 50 and recording.channels == ("ax", "ay") and recording.source == "file"


def test_plain_csv_with_times(tmp_path):
    path = tmp_path / "timed.csv"
    path.write_text('"time_s","ax"\r\n0.00,0.5\r\n0.01,1\r\n0.02,2\r\n', encoding="utf-8-sig")
    recording = Recording.load(path)
    assert recording.rate_hz == 100 and recording.channels == ("ax",)
    assert recording.samples.dtype == np.float32 and recording.samples[:, 0].tolist() == [0.5, 1, 2]


def test_csv_comments_written_by_hand(tmp_path):
    path = tmp_path / "hand.csv"
    path.write_text("# rate_hz: 20\n# label: big wave\n# subject: 7\n# units: g,g\nax,ay\n1,2\n")
    recording = Recording.load(path)
    assert (recording.rate_hz, recording.label, recording.subject, recording.units) == (20, "big wave", "7", ("g", "g"))


# ---- bad csv

def test_csv_with_a_missing_column(tmp_path):
    path = tmp_path / "five.csv"
    refuse(path, "five.csv has no column az", "expected ax, ay, az", "found ax, ay", content="ax,ay\n1,2\n",
           rate_hz=100, channels=AXES)
    text = motion(3).save(tmp_path / "whole.csv").read_text().replace("ax,ay,az", "ax,ay")
    refuse(path, "units for 3 channels", "header has 2: ax, ay", content=text)


def test_channels_come_in_the_order_asked_for(tmp_path):
    path = tmp_path / "a.csv"
    motion().save(path)
    back = Recording.load(path, channels=("az", "ax"))
    assert back.channels == ("az", "ax") and np.array_equal(back.samples, motion().samples[:, [2, 0]])


def test_csv_with_a_text_in_a_number(tmp_path):
    refuse(tmp_path / "text.csv", "text.csv, line 3, column ay", "'oops' is not a number",
           content="ax,ay\n1,2\n3,oops\n", rate_hz=100)
    refuse(tmp_path / "comma.csv", "line 2, column ay: '' is not a number", content="ax,ay\n1,\n", rate_hz=100)


@pytest.mark.parametrize("value", ["nan", "NaN", "inf", "-inf"])
def test_csv_with_nan(tmp_path, value):
    refuse(tmp_path / "nan.csv", "nan.csv, line 2, column ay", value, "not a finite number",
           content=f"ax,ay\n1,{value}\n", rate_hz=100)


def test_csv_with_another_rate(tmp_path):
    path = motion().save(tmp_path / "slow.csv")
    refuse(path, "slow.csv was recorded at 100 Hz; expected 50 Hz", "resample", rate_hz=50)
    refuse(tmp_path / "word.csv", "word.csv: The rate is 'fast'", content="# rate_hz: fast\nax\n1\n")
    refuse(tmp_path / "two.csv", "time_s counts 100", "comment line says 50 Hz",
           content="# rate_hz: 50\ntime_s,ax\n0,1\n0.01,2\n0.02,2\n")


def test_csv_with_a_ragged_row(tmp_path):
    refuse(tmp_path / "ragged.csv", "ragged.csv, line 4: 1 values; expected 2 (ax, ay)", content="# rate_hz: 9\nax,ay\n1,2\n3\n")
    refuse(tmp_path / "long.csv", "line 2: 3 values; expected 2", content="ax,ay\n1,2,3\n", rate_hz=100)


def test_csv_cut_in_the_middle_of_a_line(tmp_path):
    data = motion().save(tmp_path / "a.csv").read_bytes()
    last = len(data) - len(data.rstrip(b"\n").rpartition(b",")[2]) - 2
    refuse(tmp_path / "cut.csv", "2 values; expected 3", content=data[:last])


def test_csv_with_a_gap_in_time(tmp_path):
    refuse(tmp_path / "gap.csv", "gap.csv, line 5: time_s steps by 0.08 s; expected 0.01 s", "missing",
           content="time_s,ax\n0,1\n0.01,2\n0.02,3\n0.10,4\n")
    refuse(tmp_path / "still.csv", "does not grow", content="time_s,ax\n0,1\n0,2\n0,3\n")


@pytest.mark.parametrize("content, words", [
    ("", "is empty (0 bytes)"),
    ("# rate_hz: 100\n", "holds no samples"),
    ("ax,ay\n", "holds no samples"),
    (b"\xff\xfe\x00", "not a text file"),
    ("# dtype: \"int16\"\nax\n1.5\n", "1.5 is no int16 count"),
    ("# dtype: \"int16\"\nax\n40000\n", "40000 is no int16 count"),
    ("# dtype: int16\ntime_s,ax\n0,1\n0.01,40000\n", "line 4, column ax: 40000"),
    ("# dtype: [1]\nax\n1\n", "expected int16 or float32"),
    ("# rate_hz: 0\ntime_s,ax\n0,1\n0.01,2\n", "line says 0 Hz"),
    ("time_s\n0\n0.01\n", "time_s column and no other"),
    ("ax\n1e99\n", "is inf: expected finite"),
    ("# dtype: complex\nax\n1\n", "expected int16 or float32"),
    ("# units: 5\nax\n1\n", "description of the samples is damaged"),
    ("# lost: many\nax\n1\n", "description of the samples is damaged"),
])
def test_other_bad_csv(tmp_path, content, words):
    refuse(tmp_path / "bad.csv", "bad.csv", words, content=content, rate_hz=100)


# ---- bad files of any kind

@pytest.mark.parametrize("suffix", SUFFIXES)
def test_missing_and_empty_files(tmp_path, suffix):
    (tmp_path / f"other{suffix}").write_bytes(b"x")
    refuse(tmp_path / f"none{suffix}", f"No file none{suffix}", f"other{suffix}", "spelling")
    refuse(tmp_path / f"empty{suffix}", "empty (0 bytes)", content=b"")


def test_unknown_suffix(tmp_path):
    refuse(tmp_path / "a.mp3", "a.mp3: expected a file name that ends in .csv, .npz, .wav")
    with pytest.raises(DataError, match=r"ends in \.csv"):
        motion().save(tmp_path / "a.txt")


def test_failed_save_leaves_the_old_file(tmp_path):
    path = motion().save(tmp_path / "a.csv")
    before = path.read_bytes()
    with pytest.raises(TypeError):
        motion().with_(label=object()).save(path)
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("suffix", (".npz", ".wav"))
def test_files_cut_short_anywhere(tmp_path, suffix):
    data = motion().save(tmp_path / f"a{suffix}").read_bytes()
    for size in range(1, len(data), 7):
        refuse(tmp_path / f"cut{suffix}", f"cut{suffix}", content=data[:size])


def test_npz_of_another_kind(tmp_path):
    np.savez(tmp_path / "other.npz", x=np.zeros(3), y=np.ones(3))
    refuse(tmp_path / "other.npz", "of another kind", "expected a recording with the arrays samples, about", "found x, y")
    refuse(tmp_path / "text.npz", "not an npz file", content="hello")


def test_npz_with_pickled_objects_is_never_opened(tmp_path):
    class Trap:
        def __reduce__(self):
            return (pytest.fail, ("the pickle was opened",))

    np.savez(tmp_path / "trap.npz", samples=np.array([Trap()], dtype=object), about=np.array("{}"))
    refuse(tmp_path / "trap.npz", "array samples holds pickled Python objects", "any program")


def test_npz_with_damaged_parts(tmp_path):
    path = tmp_path / "odd.npz"
    good = json.dumps(motion().about())
    refuse(path, "description of the samples is damaged",
           content=pack_npz({"samples": motion().samples, "about": np.array("not json")}))
    refuse(path, "odd.npz: The samples have 2 channels, but channels has 3",
           content=pack_npz({"samples": motion().samples[:, :2], "about": np.array(good)}))
    data = bytearray(motion().save(path).read_bytes())
    data[200] ^= 0xFF
    refuse(path, "odd.npz", content=bytes(data))


def test_wav_with_another_rate(tmp_path):
    path = motion().with_(rate_hz=44100).save(tmp_path / "cd.wav")
    refuse(path, "cd.wav was recorded at 44100 Hz; expected 16000 Hz", rate_hz=16000)


def test_wav_resampled_by_another_program_says_its_new_rate(tmp_path):
    path = motion().with_(rate_hz=44100).save(tmp_path / "a.wav")
    data = path.read_bytes().replace(struct.pack("<I", 44100), struct.pack("<I", 22050), 1)
    path.write_bytes(data)
    assert Recording.load(path).rate_hz == 22050


def test_wav_of_another_format(tmp_path):
    import soundfile

    soundfile.write(tmp_path / "a.wav", np.zeros(9), 16000, subtype="ULAW")
    refuse(tmp_path / "a.wav", "8 bits, WAV format 7", "expected PCM of 8, 16, 24 or 32", "Export it as 16-bit PCM")
    refuse(tmp_path / "b.wav", "not a WAV file", content=b"ID3 this is an mp3 file")
    soundfile.write(tmp_path / "c.wav", np.zeros(0), 16000, subtype="PCM_16")
    refuse(tmp_path / "c.wav", "holds no samples")


# ---- faults

def noisy(n=400):
    rng = np.random.default_rng(3)
    slow = 3000 * np.sin(np.arange(n) / 9)[:, None] * np.array([1, -1, 0.5])
    return Recording((slow + rng.normal(0, 30, (n, 3))).astype(np.int16), 100.0, AXES)


def test_no_faults_in_a_good_recording():
    assert noisy().faults() == []
    assert noisy().clean() == [noisy()]


def test_each_fault_is_found_where_it_is():
    samples = noisy().samples.copy()
    samples[50, 1] = 30000
    samples[100:120] = samples[100]
    samples[200:230, 2] = samples[200, 2]
    samples[300:304, 0] = 32767
    assert noisy().with_(samples=samples).faults() == [
        Fault("spike", 50, 51, "ay"), Fault("gap", 100, 120), Fault("flat", 200, 230, "az"),
        Fault("clipped", 300, 304, "ax")]


def test_clean_mends_spikes_and_cuts_the_rest():
    samples = noisy().samples.copy()
    samples[50, 1] = 30000
    samples[100:120] = samples[100]
    parts = noisy().with_(samples=samples, lost=19).clean()
    assert [len(part) for part in parts] == [100, 280]
    assert [part.lost for part in parts] == [0, 0]
    neighbours = noisy().samples[[49, 51], 1].mean()
    assert parts[0].samples[50, 1] == np.rint(neighbours)
    assert np.array_equal(parts[1].samples, noisy().samples[120:])
    assert [len(part) for part in noisy().with_(samples=samples).clean(min_s=2.0)] == [280]


def test_losses_that_left_no_gap_are_not_forgotten():
    assert [part.lost for part in noisy().with_(lost=5).clean()] == [5]


def test_faults_of_floats_and_of_very_short_recordings():
    assert Recording(np.arange(3, dtype=np.float32), 10).faults() == []
    assert Recording(np.zeros(1, np.int16), 10).faults() == []
    values = np.sin(np.arange(100) / 5).astype(np.float32)
    values[40] = 50
    (fault,) = Recording(values, 10).faults()
    assert fault == Fault("spike", 40, 41, "ch0")


# ---- recordings of other programs

@pytest.mark.parametrize("text", [
    "ax,ay\n1,2\n3,-4\n", "1,2\n3,-4\n", "ax;ay\n1;2\n3;-4\n", "ax\tay\n1\t2\n3\t-4\n", "1 2\n3 -4\n",
    ",ax,ay\n0,1,2\n1,3,-4\n", "timestamp,ax,ay\n1700000000000,1,2\n1700000000010,3,-4\n",
    "time_ms,ax,ay\n0,1,2\n10,3,-4\n", "Time (s),ax,ay\n5.00,1,2\n5.01,3,-4\n", "ax,ay,time_us\n1,2,0\n3,-4,10000\n",
    "ax,label,ay\n1,wave,2\n3,wave,-4\n",
], ids=["commas", "no header", "semicolons", "tabs", "spaces", "counter", "timestamp", "time_ms", "time in s", "time_us",
        "label"])
def test_csv_of_other_programs(tmp_path, text):
    (tmp_path / "a.csv").write_text(text)
    recording = Recording.load(tmp_path / "a.csv", rate_hz=None if "time" in text.lower() else 100)
    assert recording.samples.tolist() == [[1, 2], [3, -4]] and recording.samples.dtype == np.int16
    assert recording.rate_hz == 100 and recording.label == ("wave" if "label" in text else "")
    assert recording.channels in (("ax", "ay"), ("ch0", "ch1"))


def test_csv_of_other_programs_with_decimal_commas(tmp_path):
    (tmp_path / "a.csv").write_text("ax;ay\n0,5;1\n-0,25;2\n")
    assert Recording.load(tmp_path / "a.csv", rate_hz=50).samples.tolist() == [[0.5, 1], [-0.25, 2]]


def test_times_that_tremble_give_their_mean_rate(tmp_path):
    times = np.cumsum(np.random.default_rng(0).uniform(0.012, 0.028, 200))
    text = "seconds_elapsed,ax\n" + "".join(f"{time:.6f},1\n" for time in times)
    (tmp_path / "a.csv").write_text(text)
    assert Recording.load(tmp_path / "a.csv").rate_hz == pytest.approx(199 / (times[-1] - times[0]), rel=1e-3)
    nominal = Recording.load(tmp_path / "a.csv").rate_hz * 1.01
    assert Recording.load(tmp_path / "a.csv", rate_hz=nominal).rate_hz == nominal


@pytest.mark.parametrize(("text", "words"), [
    ("time,ax\n0,1\n1,2\n2,3\n", "counts 1, 2, 3, ...: seconds, milliseconds or samples"),
    ("timestamp,ax\n2024-01-01,1\n2024-01-02,2\n", "line 2, column timestamp: that gives no rate"),
    ("time_ms,ax\n0,1\n10,2\n20,3\n500,4\n", "line 5: time_ms steps by 480; expected about 10"),
    ("time_ms,ax\n0,1\n10,2\n5,3\n15,4\n", "line 4: time_ms steps by -5"),
    ("time_ms,ax\n7,1\n7,1\n7,1\n", "Samples are missing or out of order"),
    ("ax,activity\n1,walk\n2,run\n", "line 3: the column activity changes from 'walk'"),
    ("time_ms\n0\n10\n", "times or labels and no samples"),
])
def test_csv_of_other_programs_that_cannot_be_used(tmp_path, text, words):
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(DataError, match=words.replace("?", "[?]")) as caught:
        Recording.load(tmp_path / "a.csv")
    assert "a.csv" in str(caught.value)


@pytest.mark.parametrize(("array", "dtype", "shape"), [
    (np.arange(5, dtype=np.int16), np.int16, (5, 1)), (np.arange(6).reshape(3, 2), np.int16, (3, 2)),
    (np.linspace(0, 1, 6).reshape(2, 3), np.float32, (2, 3)), (np.array([70000, 1]), np.float32, (2, 1)),
    (np.arange(4, dtype=np.uint8), np.int16, (4, 1)), (np.zeros((2, 2), np.float16), np.float32, (2, 2)),
])
def test_npy(tmp_path, array, dtype, shape):
    np.save(tmp_path / "a.npy", array)
    recording = Recording.load(tmp_path / "a.npy", rate_hz=50)
    assert recording.samples.dtype == dtype and recording.samples.shape == shape and recording.rate_hz == 50
    assert np.array_equal(recording.samples.reshape(array.shape), array.astype(dtype))


@pytest.mark.parametrize(("array", "words"), [
    (np.zeros((3, 500)), "500 channels[?] Expected .samples, channels.. Turn it round"),
    (np.zeros((2, 3, 4)), "Save each recording in its own file"),
    (np.array(["a"]), "expected numbers"), (np.array([{}]), "pickled Python objects"),
    (np.array([np.nan]), "expected finite"), (np.zeros((0, 3)), "at least one sample"), (np.array(3.0), "the shape"),
])
def test_npy_that_cannot_be_used(tmp_path, array, words):
    np.save(tmp_path / "a.npy", array)
    with pytest.raises(DataError, match=f"a.npy.*{words}"):
        Recording.load(tmp_path / "a.npy", rate_hz=50)


def test_npy_says_no_rate_and_may_be_damaged(tmp_path):
    np.save(tmp_path / "a.npy", np.arange(100, dtype=np.int16))
    with pytest.raises(DataError, match="a.npy does not say how many samples there are per second: give rate_hz"):
        Recording.load(tmp_path / "a.npy")
    data = (tmp_path / "a.npy").read_bytes()
    rng = np.random.default_rng(1)
    for _ in range(200):
        damaged = bytearray(data[:rng.integers(len(data))] if rng.random() < 0.3 else data)
        for place in rng.integers(0, max(1, min(len(damaged), 130)), 2):
            if len(damaged):
                damaged[place] = rng.integers(256)
        (tmp_path / "b.npy").write_bytes(damaged)
        try:
            Recording.load(tmp_path / "b.npy", rate_hz=50)
        except DataError as error:
            assert "b.npy" in str(error)


# ---- sound: whatever a phone, a browser or an audio program made of it

SUBTYPES = {"PCM_U8": 300, "PCM_16": 0, "PCM_24": 1, "PCM_32": 1, "FLOAT": 1, "DOUBLE": 1}      # and the largest error


def tone(rate_hz=16000, seconds=0.5, size=0.5):
    return size * np.sin(2 * np.pi * 440 * np.arange(round(rate_hz * seconds)) / rate_hz)


def counts(sound):
    return np.rint(sound * 32768).astype(np.int16)


@pytest.mark.parametrize("subtype", SUBTYPES)
@pytest.mark.parametrize("channels", (1, 2))
def test_sound_of_every_kind_of_wav_is_as_soundfile_reads_it(tmp_path, subtype, channels):
    import soundfile

    path = tmp_path / "a.wav"
    soundfile.write(path, np.repeat(tone()[:, None], channels, axis=1), 16000, subtype=subtype)
    recording, notes = load_sound(path)
    assert recording.samples.dtype == np.int16 and recording.rate_hz == 16000 and recording.channels == ("audio",)
    assert abs(recording.samples[:, 0].astype(int) - counts(tone())).max() <= max(1, SUBTYPES[subtype])
    assert notes == (() if channels == 1 else ("a.wav has 2 channels: mixed into one.",))
    again = soundfile.read(path, dtype="float64", always_2d=True)[0]
    np.testing.assert_allclose(Recording.load(path).physical(), again, atol=1e-7)


@pytest.mark.parametrize("rate_hz", (8000, 11025, 22050, 44100, 48000, 96000))
def test_sound_of_another_rate_is_resampled_and_says_so(tmp_path, rate_hz):
    path = Recording(counts(tone(rate_hz)), rate_hz).save(tmp_path / "a.wav")
    recording, notes = load_sound(path)
    assert recording.rate_hz == 16000 and abs(recording.duration_s - 0.5) < 0.001
    inside = slice(400, 7600)
    error = recording.samples[:8000, 0].astype(float) - 32768 * tone()
    assert np.sqrt(np.square(error[inside]).mean()) < 20, "the same tone"
    assert f"recorded at {rate_hz} Hz: resampled to 16000 Hz" in notes[0]
    assert ("nothing above" in notes[0]) == (rate_hz < 16000)


def test_sound_above_half_the_rate_does_not_come_back_as_an_alias(tmp_path):
    time_s = np.arange(22050) / 44100
    path = Recording(counts(0.5 * np.sin(2 * np.pi * 15000 * time_s)), 44100).save(tmp_path / "a.wav")
    assert abs(load_sound(path)[0].samples[400:-400].astype(int)).max() < 60


def test_sound_that_is_odd_is_said_to_be(tmp_path):
    def notes(sound, name="a.wav"):
        return " ".join(load_sound(Recording(sound, 16000).save(tmp_path / name))[1])

    assert "it is clipped" in notes(counts(np.clip(tone(size=3), -1, 0.9999)))
    assert "above full scale" in notes(tone(size=3).astype(np.float32))
    assert "nothing but silence" in notes(np.zeros(8000, np.int16))
    assert "its loudest sample is 16 of 32768" in notes(counts(tone(size=0.0005)))
    both = np.stack([counts(tone()), -counts(tone())], axis=1)
    assert "they cancel" in notes(both)
    assert abs(load_sound(tmp_path / "a.wav")[0].samples).max() > 16000
    assert notes(counts(tone())) == "" and notes(counts(tone()), "a.npz") == ""


def test_sound_from_a_pipe_has_no_size(tmp_path):
    data = Recording(counts(tone()), 16000).save(tmp_path / "a.wav").read_bytes()
    at = data.index(b"data") + 4
    (tmp_path / "b.wav").write_bytes(data[:at] + b"\xff\xff\xff\xff" + data[at + 4:])
    assert load_sound(tmp_path / "b.wav")[0] == load_sound(tmp_path / "a.wav")[0]


@pytest.mark.parametrize(("content", "words"), [
    (b"", "a.wav is empty"),
    (b"hello, I am no sound", "a.wav is not a WAV file"),
    (b"OggS" + bytes(40), "this is an Ogg file. Convert it to WAV first"),
    (b"\x1aE\xdf\xa3" + bytes(40), "this is a WebM file"),
    (b"\0\0\0 ftypM4A " + bytes(40), "this is an MP4 file"),
], ids=["empty", "text", "ogg", "webm", "mp4"])
def test_what_is_no_wav_is_said_kindly(tmp_path, content, words):
    (tmp_path / "a.wav").write_bytes(content)
    with pytest.raises(DataError, match=words):
        load_sound(tmp_path / "a.wav")


def test_sound_that_is_too_short_or_cut_or_of_another_sensor(tmp_path):
    with pytest.raises(DataError, match="a.wav is 50 ms long: expected at least 100 ms"):
        load_sound(Recording(counts(tone(seconds=0.05)), 16000).save(tmp_path / "a.wav"))
    with pytest.raises(DataError, match="b.wav has 100 samples per second: expected sound"):
        load_sound(motion().save(tmp_path / "b.wav"))
    data = Recording(counts(tone()), 16000).save(tmp_path / "c.wav").read_bytes()
    for size in (20, 44, 60, 300, len(data) - 2):
        (tmp_path / "c.wav").write_bytes(data[:size])
        with pytest.raises(DataError, match="c.wav is (cut short|not a WAV)"):
            load_sound(tmp_path / "c.wav")


def test_a_sound_of_another_kind_by_its_name(tmp_path):
    with pytest.raises(DataError, match="a.M4A is not a WAV file. Convert it to WAV first, for example: ffmpeg"):
        load_sound(tmp_path / "a.M4A")


def test_what_follows_the_samples_does_no_harm(tmp_path):
    path = Recording(counts(tone()), 16000).save(tmp_path / "a.wav")
    alone, _ = load_sound(path)
    path.write_bytes(path.read_bytes() + b"TAG and a title, as MP3 players have it")
    assert np.array_equal(load_sound(path)[0].samples, alone.samples)


def test_damaged_wavs_are_refused_or_read_never_more(tmp_path):
    rng = np.random.default_rng(0)
    data = Recording(counts(tone(seconds=0.15)), 16000).save(tmp_path / "a.wav").read_bytes()
    for _ in range(300):
        damaged = bytearray(data)
        for place in rng.integers(0, 200, rng.integers(1, 4)):
            damaged[place] = rng.integers(256)
        (tmp_path / "b.wav").write_bytes(damaged)
        try:
            load_sound(tmp_path / "b.wav")
        except DataError as error:
            assert "b.wav" in str(error)
