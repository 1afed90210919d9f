"""Spoken words from a synthesizer, and the sound in which a microphone finds them: the keyword set of the course.

The shipped set holds dry words, nothing but the voice. Rooms, noise, distance and loudness are added when it is used,
from a seed: so a few megabytes give as many different clips as one wants. Only making the words again needs the
programs espeak-ng, flite and festival.

>>> from edgekit.dataset import load_dataset
>>> words = load_dataset("keywords")
>>> words.classes
('no', 'silence', 'unknown', 'yes')
>>> made = clips(words, 100, seed=0, split="train", snr_db=(0, 30))
>>> made.x.shape, str(made.x.dtype), made.y.shape
((100, 16000), 'int16', (100,))
>>> sound, truth = stream(words, seconds=20, seed=0, split="test")
>>> sound.channels, sound.rate_hz, sound.duration_s
(('audio',), 16000.0, 20.0)
"""

import re
import shutil
import subprocess
import tempfile
import zlib
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from edgekit.dataset import Dataset, Windows
from edgekit.errors import DataError, SetupError
from edgekit.recording import Recording
from edgekit.signals.rooms import NOISES, RATE_HZ, noise, room, tones

__all__ = ["CLASSES", "SPLITS", "STRANGERS", "VOICES", "babble", "clips", "make_words", "mix", "noise", "room",
           "say", "spoken_word", "split_of", "stream", "synthesize", "tones", "trim", "version"]

CLASSES = ("no", "silence", "unknown", "yes")
SPLITS = ("train", "validation", "test", "other")
"""``"other"``: voices of other synthesizers, pieced together from recordings of people. The nearest thing to a real
stranger."""

# An accent and a variant of the voice (throat, pitch, breath) make a voice: "en-us+f3". The parts share neither an
# accent nor a variant, so the name of a voice says to which part it belongs: see split_of.
ACCENTS = {
    "train": (("en-gb", "en-us", "en-gb-x-rp", "en-gb-x-gbcwmd", "en-us-nyc"),
              ("hi", "de", "te", "fr-fr", "es", "pl", "sv", "pt-br", "cs", "id", "ru")),
    "validation": (("en-gb-x-gbclan",), ("mr", "nl")),
    "test": (("en-gb-scotland", "en-029"), ("ta", "it", "ro")),
    "other": ((), ()),
}
"""For each part: accents of English, and other languages that speak English words in their own sounds."""

VARIANTS = {
    "train": ("m1", "f1", "m3", "f2", "m4", "f4", "m6", "m7", "klatt", "klatt2", "klatt4", "klatt6",
              "Alex", "Alicia", "Andy", "Annie", "Denis", "Diogo", "Gene", "Henrique", "Jacky", "Lee", "Marco", "Mario",
              "Michael", "adam", "anika", "antonio", "aunty", "belinda", "boris", "caleb", "david", "edward",
              "grandma", "gustave", "iven", "iven3", "john", "linda", "marcelo", "max", "michel", "norbert", "pablo",
              "pedro", "quincy", "rob", "robert", "sandro", "shelby", "steph", "steph3", "victor", "zac"),
    "validation": ("m2", "f3", "Nguyen", "Mike", "klatt3", "benjamin", "paul", "Gene2"),
    "test": ("m5", "f5", "Hugo", "Andrea", "m8", "klatt5", "miguel", "ed", "travis", "grandpa", "kaukovalta", "Tweaky"),
}
# Two other synthesizers, whose voices are pieced together from recordings of people. In place of the accent stands the
# program. Those of flite teach, one of festival is kept for the part "other".
_PIECED = {"train": ("flite+awb", "flite+kal16", "flite+rms", "flite+slt"), "other": ("festival+ked_diphone",)}

STRANGERS = ("festival+czech_dita", "festival+czech_krb", "festival+czech_machac", "festival+czech_ph",
             "festival+hy_fi_mv_diphone", "festival+suo_fi_lj_diphone", "festival+pc_diphone", "festival+lp_diphone",
             "festival+hindi_NSK_diphone", "festival+marathi_NSK_diphone", "festival+telugu_NSK_diphone")
"""More voices made of people's recordings, of the part "other". They are not in the shipped set: their recordings are
under the GPL. Who installs festival and its voices can make them: ``make_words(STRANGERS)``."""


def _voices():
    return {part: tuple(f"{accents[i % len(accents)]}+{variant}" for i, variant in enumerate(VARIANTS.get(part, ()))
                        for accents in ACCENTS[part]) + _PIECED.get(part, ()) for part in ACCENTS}


VOICES = _voices()
"""The voices of the shipped set, part by part: each variant speaks once with an accent of English and once as a
stranger."""

# Words that are neither. Some come near on purpose: "yet", "guess", "go", "snow". Left out is what sounds the same
# ("know") and what begins with a whole keyword ("yesterday", "note", "nose"): a listener could not tell in time either.
_ENGLISH = """
    yet yell yen year you young yard less mess guess dress press chess best west test nest next said says sense essay
    jazz go low so show toe row slow snow grow throw though now new knee near nine not nut net neck nail name night
    noon nap on own only over and the but this that what where why how who up down left right off stop start one two
    three four five six seven eight ten zero light fan door kitchen music play hello please thanks okay house tree
    bird dog happy morning today river computer machine call close red green blue black yellow marvin sheila visual
    follow learn forward backward bed wow cold warm again enough school money ship fish
    """.split()
_ONLY_TEST = """
    yellow yacht bless rest west guest message lesson sew mow glow blow stone none nurse never number water lamp
    window pause maybe cat evening mountain phone open white orange because people thing yoga joke
    """.split()
_TRAINED = tuple(sorted(set(_ENGLISH) - set(_ONLY_TEST)))
_UNSEEN = tuple(sorted(set(_ONLY_TEST)))

_LANGUAGE = {"czech": "cs", "hy": "fi", "suo": "fi", "pc": "it", "lp": "it", "hindi": "hi-plain", "marathi": "mr-plain",
             "telugu": "te-plain"}
_ENCODING = {"cs": "iso8859-2", "fi": "latin-1", "it": "latin-1"}

# How another language writes the sounds of "yes" and "no" ([[...]] are espeak-ng's own phonemes), and words of its own.
_FOREIGN = {
    "cs": ("jes", "nou", "voda světlo okno děkuji zítra červený hudba teplo sedm škola"),
    "de": ("jess", "no", "wasser feuer danke bitte morgen fenster nein licht jetzt schule"),
    "es": ("yes", "nou", "agua casa puerta gracias mañana rojo jugar siete nieve llave"),
    "fi": ("jes", "nou", "vesi talo valo ovi kiitos huomenna punainen lumi nyt musta"),
    "fr-fr": ("yèss", "nô", "bonjour merci maison lumière fenêtre rouge demain chaud neige oui"),
    "hi": ("[[jes]]", "[[no:]]", "पानी खाना दरवाज़ा बत्ती धन्यवाद लाल संगीत गरम सात नमस्ते"),
    "hi-plain": ("येस्", "नो", "पानी खाना घर बत्ती लाल संगीत गरम सात"),
    "id": ("yes", "no", "rumah lampu pintu kasih besok merah panas tujuh nama jalan"),
    "it": ("iès", "nòu", "acqua casa luce porta grazie domani rosso caldo sette neve"),
    "mr": ("[[jes]]", "[[no:]]", "पाणी घर दिवा दार धन्यवाद उद्या लाल संगीत गरम सात"),
    "mr-plain": ("येस्", "नो", "पाणी घर दिवा दार लाल संगीत गरम सात"),
    "nl": ("jes", "noo", "water huis licht raam bedankt morgen rood muziek zeven negen"),
    "pl": ("jes", "no", "woda światło okno jutro czerwony muzyka ciepło siedem jest niebo"),
    "pt-br": ("[[jEs]]", "nôu", "água casa porta obrigado amanhã vermelho quente sete neve janela"),
    "ro": ("ies", "nou", "apă casă lumină ușă mâine roșu muzică cald șapte iarnă"),
    "ru": ("йес", "ноу", "вода дом свет окно спасибо завтра красный музыка семь небо"),
    "sv": ("jess", "nå", "vatten ljus fönster imorgon röd musik varm sju nej natt"),
    "ta": ("[[jes]]", "[[no:]]", "தண்ணீர் வீடு விளக்கு கதவு நன்றி நாளை சிவப்பு இசை சூடு ஏழு"),
    "te-plain": ("యెస్", "నో", "నీళ్ళు ఇల్లు తలుపు దీపం రేపు ఎరుపు వేడి ఏడు"),
    "te": ("[[jes]]", "[[no:]]", "నీళ్ళు ఇల్లు తలుపు దీపం రేపు ఎరుపు సంగీతం వేడి ఏడు నమస్కారం"),
}
MADE_WITH = {"espeak-ng": "1.51", "flite": "2.2", "festival": "2.5.0"}
"""The programs that spoke the shipped set. Another version may speak otherwise."""

_UNKNOWN_PER_VOICE = {"train": 4, "validation": 4, "test": 5}
_PIECED_TAKES, _PIECED_UNKNOWN = 5, 24          # few voices, so each says more
_LONGEST = round(0.85 * RATE_HZ)
_SOUND = dict(rate_hz=float(RATE_HZ), channels=("audio",), units=("full scale",), scale=(1 / 32768,))


# ---- the synthesizer

def version(program: str = "espeak-ng") -> str:
    """The version of a synthesizer on this computer, for example ``"1.51"``.

    Raises
    ------
    SetupError
        It is not installed.
    """
    said = _run([program, "--version"], checked=False).decode("utf-8", "replace")      # flite answers and "fails"
    found = re.search(r"[0-9]+([.][0-9]+)+", said)
    return found.group() if found else "unknown"


def _run(command, text="", checked=True, encoding="utf-8"):
    if shutil.which(command[0]) is None:
        package = {"text2wave": "festival"}.get(command[0], command[0])
        raise SetupError(f"The program {package} is not installed. Only making speech again needs it; the shipped "
                         "words work without: load_dataset('keywords'). "
                         f"To install it: sudo apt-get install {package} (macOS: brew install {package}).")
    try:
        done = subprocess.run(command, input=text.encode(encoding, "replace"), capture_output=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SetupError(f"{command[0]} did not work ({type(error).__name__}). Try it in a terminal.") from None
    if checked and done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise DataError(f"{command[0]} cannot do that: {said[-1] if said else f'it ended with {done.returncode}'}. "
                        "Check the voice: espeak-ng --voices, flite -lv, festival -b '(print (voice.list))'.")
    return done.stdout


def synthesize(text: str, voice: str = "en-us", pitch: int = 50, words_per_minute: int = 170) -> np.ndarray:
    """Let espeak-ng say something.

    Parameters
    ----------
    text : str
        Words, or espeak-ng's phonemes in double square brackets: ``"[[jEs]]"``.
    voice : str
        Accent, or accent and variant: ``"en-gb-scotland+f3"``. ``"flite+slt"`` and ``"festival+ked_diphone"`` ask those
        programs instead.
    pitch : int
        0 to 99; festival's voices have their own.
    words_per_minute : int
        80 to 400.

    Returns
    -------
    numpy.ndarray
        int16 [n] at 16 kHz, with the silence that the program puts around it.

    Raises
    ------
    SetupError
        The program is not installed.
    DataError
        It has no such voice, or said nothing.
    """
    from scipy import signal

    accent, _, variant = voice.partition("+")
    if accent == "flite":
        data = _flite(text, variant, pitch, words_per_minute)
    elif accent == "festival":
        data = _festival(text, variant, words_per_minute)
    else:
        # The text goes in through stdin, so that no text can be taken for an option.
        data = _run(["espeak-ng", "--stdin", "--stdout", "-b", "1", "-v", voice, "-p", str(int(pitch)), "-s",
                     str(int(words_per_minute))], text)
    start = data.find(b"data")
    if data[:4] != b"RIFF" or start < 0:
        raise DataError(f"No sound came for {text!r} with the voice {voice!r}. Is that voice installed? Look: "
                        "espeak-ng --voices, flite -lv, festival -b '(print (voice.list))'.")
    # A program that writes into a pipe does not know the length in advance: what comes after the header is sound.
    rate_hz = int.from_bytes(data[24:28], "little")
    body = data[start + 8:]
    sound = np.frombuffer(body[:len(body) // 2 * 2], "<i2").astype(np.float64)
    if rate_hz != RATE_HZ:
        common = np.gcd(RATE_HZ, rate_hz)
        sound = signal.resample_poly(sound, RATE_HZ // common, rate_hz // common)
    return np.clip(np.rint(sound), -32768, 32767).astype(np.int16)


def _flite(text, variant, pitch, words_per_minute):
    # Its pitch is in hertz, its speed a factor.
    usual_hz = {"slt": 170}.get(variant, 110)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "word.wav"
        _run(["flite", "-voice", variant, "--setf", f"duration_stretch={170 / words_per_minute:.3f}",
              "--setf", f"int_f0_target_mean={usual_hz * 2 ** ((pitch - 50) / 60):.1f}", "-t", text, "-o", str(path)])
        return path.read_bytes()


def _festival(text, variant, words_per_minute):
    if not variant.replace("_", "").isalnum():       # it becomes part of a program
        raise DataError(f"{variant!r} is no voice of festival. Try: festival -b '(print (voice.list))'")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "word.wav"
        _run(["text2wave", "-o", str(path), "-eval", f"(voice_{variant})", "-eval",
              f"(Parameter.set 'Duration_Stretch {170 / words_per_minute:.3f})"],
             text, encoding=_ENCODING.get(_language("festival", variant), "utf-8"))
        return path.read_bytes() if path.exists() else b""


def _language(accent, variant):
    return _LANGUAGE.get(variant.partition("_")[0], "en") if accent == "festival" else accent


def trim(sound, below_db: float = 42.0) -> np.ndarray:
    """Cut the silence before and after a word, and fade in and out over 5 ms.

    Parameters
    ----------
    sound : numpy.ndarray
        int16 or float [n] at 16 kHz.
    below_db : float
        What lies so far below the loudest 10 ms is silence.

    Returns
    -------
    numpy.ndarray
        Same dtype, [m]; the loudest sample of an int16 sound is brought to 24,000.

    Raises
    ------
    DataError
        There is nothing but silence.
    """
    sound = np.asarray(sound)
    hop = RATE_HZ // 100
    frames = -(-len(sound) // hop)
    padded = np.pad(sound.astype(np.float64), (0, frames * hop - len(sound)))
    power = np.square(padded.reshape(frames, hop)).mean(axis=1) if frames else np.zeros(1)
    if power.max() < 1e-12:
        raise DataError("The sound is nothing but silence: there is no word to cut out. Record it again, louder.")
    loud = np.flatnonzero(power > power.max() * 10 ** (-below_db / 10))
    start, stop = max(0, loud[0] - 1) * hop, min(len(sound), (loud[-1] + 2) * hop)
    word = padded[start:stop].copy()
    fade = np.linspace(0, 1, hop // 2)
    word[:len(fade)] *= fade[:len(word)]
    word[-len(fade):] *= fade[::-1][-len(word):]
    if sound.dtype == np.int16:
        word *= 24000 / abs(word).max()
        return np.rint(word).astype(np.int16)
    return word.astype(sound.dtype)


def say(text: str, voice: str, label: str = "unknown", word: str | None = None, **how) -> Recording:
    """One word as the shipped set holds it: `synthesize`, then `trim`.

    Returns
    -------
    Recording
        int16 [n, 1] at 16 kHz; the voice is the subject, the source is ``"synthetic: WORD"``.
    """
    return Recording(trim(synthesize(text, voice, **how)), label=label, subject=voice,
                     source=f"synthetic: {word or text}", **_SOUND)


def spoken_word(recording: Recording) -> str:
    """The word in a recording of the set: of an unknown one too."""
    return recording.source.partition(": ")[2] or recording.label


def split_of(voice: str) -> str:
    """To which part a voice belongs: ``"train"``, ``"validation"``, ``"test"`` or ``"other"``.

    The name of a synthetic voice is ACCENT+VARIANT, and each accent and each variant belongs to one part only. Any other
    name, a person's, is put into a part by its hash, with the rule of the public Speech Commands data set: a tenth for
    validation, a tenth for the test. So a person stays in one part, however many recordings come later.

    Examples
    --------
    >>> split_of("en-us+f2"), split_of("ta+m5"), split_of("festival+ked_diphone"), split_of("ravi")
    ('train', 'test', 'other', 'train')
    """
    return _PART_OF.get(voice) or _part_by_hash(voice)


_PART_OF = {**{voice: part for part, voices in VOICES.items() for voice in voices}, **dict.fromkeys(STRANGERS, "other")}


def _part_by_hash(name):
    import hashlib

    most = 2**27 - 1
    percent = int(hashlib.sha1(name.encode()).hexdigest(), 16) % (most + 1) * (100.0 / most)
    return "validation" if percent < 10 else "test" if percent < 20 else "train"


def _plan(voice, seed):
    """What a voice says: (text, label, word, pitch, words per minute) for each recording."""
    part = split_of(voice)
    rng = np.random.default_rng(np.random.SeedSequence([seed, zlib.crc32(voice.encode())]))
    accent, _, variant = voice.partition("+")
    yes, no, own = _FOREIGN.get(_language(accent, variant), ("yes", "no", ""))
    pieced = accent in ("flite", "festival")
    takes, count = (_PIECED_TAKES, _PIECED_UNKNOWN) if pieced else (1, _UNKNOWN_PER_VOICE[part])
    if own:
        words = rng.permutation(own.split())[:count].tolist()
    elif part == "train":
        words = rng.permutation(_TRAINED)[:count].tolist()
    else:
        words = rng.permutation(_UNSEEN)[:count // 2].tolist() + rng.permutation(_TRAINED)[:count - count // 2].tolist()
    said = [(yes, "yes", "yes"), (no, "no", "no")] * takes + [(word, "unknown", word) for word in words]
    mood = rng.integers(20, 80)
    made = []
    for text, label, word in said:
        ending = rng.choice([".", ".", "!", "?", ","])
        made.append((text + str(ending), label, word, int(np.clip(mood + rng.integers(-15, 16), 0, 99)),
                     int(rng.integers(120, 225))))
    return made


def make_words(voices: Iterable[str] | None = None, seed: int = 0) -> Dataset:
    """Let every voice say "yes", "no" and some other words; with the defaults this is the shipped set.

    Parameters
    ----------
    voices : sequence of str, optional
        Default: all of `VOICES`.
    seed : int
        Draws pitch, speed, ending and words.

    Returns
    -------
    Dataset
        int16 recordings at 16 kHz; the classes are `CLASSES`. Silence has no recording: it is added when clips are made.

    Raises
    ------
    SetupError
        espeak-ng is not installed (or flite or festival, for their voices).
    """
    voices = [voice for part in SPLITS for voice in VOICES[part]] if voices is None else list(voices)
    jobs = [(voice, *line) for voice in voices for line in _plan(voice, seed)]

    def make(job):
        voice, text, label, word, pitch, words_per_minute = job
        made = say(text, voice, label, word, pitch=pitch, words_per_minute=words_per_minute)
        if len(made) > _LONGEST:         # once more, faster
            faster = int(words_per_minute * len(made) / _LONGEST) + 20
            made = say(text, voice, label, word, pitch=pitch, words_per_minute=faster)
        return made.with_(samples=made.samples[:_LONGEST])

    with ThreadPoolExecutor(4) as pool:
        return Dataset(pool.map(make, jobs), CLASSES)


# ---- sound as a microphone hears it

def mix(word, background, snr_db: float) -> np.ndarray:
    """A word and a background such that the word is `snr_db` decibels stronger while it lasts.

    Parameters
    ----------
    word, background : numpy.ndarray
        float [n], the same length. Where `word` is 0 it does not count.
    snr_db : float
        10: the word has ten times the power of the background. 0: the same.

    Returns
    -------
    numpy.ndarray
        float32 [n].

    Examples
    --------
    >>> both = mix(np.array([0.0, 1.0, -1.0, 0.0]), np.array([1.0, 1.0, 1.0, -1.0]), snr_db=20)
    >>> [round(float(value), 3) for value in both]
    [0.1, 1.1, -0.9, -0.1]
    """
    word, background = np.asarray(word, np.float64), np.asarray(background, np.float64)
    spoken = np.square(word[np.flatnonzero(word)]).mean() if word.any() else 0.0
    behind = np.square(background).mean()
    factor = np.sqrt(spoken / (behind * 10 ** (snr_db / 10))) if behind > 0 else 0.0
    return (word + factor * background).astype(np.float32)


def babble(words: Dataset, samples: int, rng, talkers: int = 6, split: str | None = None) -> np.ndarray:
    """Many people talking at once, none of whom says a keyword.

    Parameters
    ----------
    words : Dataset
        Where the unknown words come from.
    samples : int
        How long.
    rng : numpy.random.Generator
        Draws who says what when.
    talkers : int
        How many talk at a time.
    split : str, optional
        Only voices of this part.

    Returns
    -------
    numpy.ndarray
        float32 [samples]; the root of the mean square is 1.
    """
    spoken = [recording.samples[:, 0] for recording in _part(words, split) if recording.label == "unknown"]
    if not spoken:
        raise DataError("Babble is mixed from words with the label 'unknown', and this data set has none.")
    made = np.zeros(samples, np.float32)
    for _ in range(talkers):
        at, level = -int(rng.integers(0, 8000)), 10 ** rng.uniform(-0.3, 0.3)
        while at < samples:
            word = spoken[rng.integers(len(spoken))] * np.float32(level)
            _add(made, word, at)
            at += len(word) + int(rng.integers(0, 3000))
    return made / (np.sqrt(np.square(made).mean()) + 1e-12)


def _add(row, word, at):
    """Add a word to row [n] from sample `at` on; what lies outside is lost."""
    first, last = max(0, at), min(len(row), at + len(word))
    if first < last:
        row[first:last] += word[first - at:last - at]


def _part(words, split):
    if split is None:
        return words
    if split not in SPLITS:
        raise DataError(f"No part {split!r}: expected one of {', '.join(SPLITS)}.")
    chosen = [voice for voice in words.subjects if split_of(voice) == split]
    if not chosen:
        raise DataError(f"None of the voices ({', '.join(words.subjects[:6])}...) belongs to the part {split!r}: "
                        "see edgekit.signals.speech.split_of.")
    return words.filter(subject=chosen)


def _other_size(word, factor):
    """The word of a throat that is `factor` times as long: lower and slower above 1. By Fourier, float32 [m]."""
    from scipy import fft

    size = max(16, round(len(word) * factor))
    padded = fft.next_fast_len(len(word), real=True)
    spectrum = fft.rfft(word, padded)
    target = max(2, round(padded * factor))
    kept = np.zeros(target // 2 + 1, spectrum.dtype)
    kept[:min(len(kept), len(spectrum))] = spectrum[:len(kept)]
    return fft.irfft(kept, target)[:size] * np.float32(target / padded)


def clips(words: Dataset, count: int = 1000, seed: int = 0, split: str | None = "train", samples: int = RATE_HZ,
          snr_db=(0.0, 30.0), shares=(0.25, 0.25, 0.25, 0.25), augment: bool | None = None,
          loudness_db=(-45.0, -12.0), backgrounds=()) -> Windows:
    """Short sounds to train and test with: a word somewhere in each, in a room, with a background.

    Parameters
    ----------
    words : Dataset
        Dry words with the classes "no", "silence", "unknown", "yes" (any keywords do; "silence" needs no recording).
    count : int
        How many clips.
    seed : int
        The same seed gives the same clips.
    split : str or None
        ``"train"``, ``"validation"``, ``"test"``, ``"other"``; None takes every voice.
    samples : int
        Length of a clip: ``params.samples`` of an `AudioParams`. A word that is longer loses its ends.
    snr_db : float, (float, float) or None
        How many decibels the word is stronger than the background: one value, drawn from a range, or None for no
        background at all.
    shares : sequence of float
        How much of each class, in the order of ``words.classes``.
    augment : bool, optional
        Also change the throat, turn words around (they become unknown) and colour the sound. Default: only for "train".
    loudness_db : (float, float)
        Range of the root mean square of the word, in decibels below full scale.
    backgrounds : sequence of numpy.ndarray
        Recorded sounds without words, int16 [n] at 16 kHz: half of the clips then get a piece of one instead of drawn
        noise. See `edgekit.signals.recorded.load_backgrounds`.

    Returns
    -------
    Windows
        x int16 [count, samples], y int64 [count] numbers of ``words.classes``, subject: the voice (empty for silence),
        recording: the index of the word in `words` (-1 for silence).

    Raises
    ------
    DataError
        Unknown part, or the part has no word of a class that has a share.
    """
    from scipy import fft

    rng = np.random.default_rng(np.random.SeedSequence([seed, SPLITS.index(split) if split in SPLITS else 9]))
    part = _part(words, split)
    augment = split == "train" if augment is None else augment
    classes = words.classes
    shares = np.asarray(shares, float)
    if len(shares) != len(classes) or shares.sum() <= 0 or shares.min() < 0:
        raise DataError(f"shares has {len(shares)} entries: expected one of at least 0 for each class "
                        f"({', '.join(classes)}).")
    place = {id(recording): index for index, recording in enumerate(words)}
    spoken = [recording.samples[:, 0].astype(np.float32) / 32768 for recording in part]
    index_in_words = np.array([place[id(recording)] for recording in part])
    of_class = [np.array([i for i, recording in enumerate(part) if recording.label == name], int) for name in classes]
    for name, found, share in zip(classes, of_class, shares, strict=True):
        if share and not len(found) and name != "silence":
            raise DataError(f"The part {split!r} has no recording of {name!r}. Record some, or give it no share.")
    unknown = of_class[classes.index("unknown")] if "unknown" in classes else np.array([], int)

    y = rng.permutation(np.repeat(np.arange(len(classes)), _counts(shares, count)))
    rooms = np.stack([room(rng) for _ in range(48)])
    crowd = babble(words, 30 * RATE_HZ, rng, split=split) if len(unknown) else None
    x = np.empty((count, samples), np.int16)
    which = np.full(count, -1)
    size = fft.next_fast_len(samples + rooms.shape[1], real=True)
    frequency_hz = fft.rfftfreq(size, 1 / RATE_HZ)
    for first in range(0, count, 256):
        block = slice(first, min(first + 256, count))
        dry = np.zeros((block.stop - first, samples), np.float32)
        length = np.ones(len(dry))
        for row, label in enumerate(y[block]):
            if classes[label] != "silence":
                which[first + row], length[row] = _speak(dry[row], classes[label], of_class[label], of_class, unknown,
                                                         spoken, rng, augment)
        gain = fft.rfft(rooms[rng.integers(0, len(rooms), len(dry))], size)
        direct = rng.random(len(dry)) < 0.3                # nearly no echo: a mouth close to the microphone
        gain[direct] = 1
        gain *= tones(frequency_hz, len(dry), rng, colour=augment)
        wet = fft.irfft(fft.rfft(dry, size) * gain, size)[:, :samples]
        # People who talk in the background are no silence.
        silent = np.array([classes[label] == "silence" for label in y[block]])
        behind = np.empty_like(wet)
        for rows, around in ((silent, None), (~silent, crowd)):
            behind[rows] = _background(rng, rows.sum(), samples, around, backgrounds)
        x[block] = _levels(rng, wet, behind, length, snr_db, loudness_db)
    recording = np.where(which >= 0, index_in_words[which], -1)
    voices = np.array([words[index].subject if index >= 0 else "" for index in recording])
    return Windows(x, y, voices, recording, classes)


def _counts(shares, count):
    """How many clips of each class: whole numbers in these shares that add up to count."""
    edges = np.rint(np.cumsum(shares) / shares.sum() * count).astype(int)
    return np.diff(edges, prepend=0)


def _speak(row, name, own, of_class, unknown, spoken, rng, augment):
    """Put a word of this class into row [samples]; which it was and how many samples of speech there are."""
    chosen = own[rng.integers(len(own))]
    backwards = False
    if augment and name == "unknown" and rng.random() < 0.15:
        # Any word turned around is unknown: "sey", "on".
        some = of_class[rng.integers(len(of_class))]
        if len(some):
            chosen, backwards = some[rng.integers(len(some))], True
    factor = 2 ** rng.uniform(-0.25, 0.25) if augment else 1.0
    word = spoken[chosen][::-1] if backwards else spoken[chosen]
    word = _other_size(word, factor) if augment else word
    room_left = len(row) - len(word)
    at = int(rng.integers(min(0, room_left), max(0, room_left) + 1)) if name != "unknown" else \
        int(rng.integers(-len(word) // 2, len(row) - len(word) // 2))
    _add(row, word, at)
    length = len(word)
    if name == "unknown" and rng.random() < 0.35:
        # People who talk do not stop after one word: the clip is filled before and after.
        before, after = at, at + len(word)
        while after < len(row):
            other = spoken[unknown[rng.integers(len(unknown))]]
            after += int(rng.integers(0, 2400))
            _add(row, other, after)
            after += len(other)
        while before > 0:
            other = spoken[unknown[rng.integers(len(unknown))]]
            before -= int(rng.integers(0, 2400)) + len(other)
            _add(row, other, before)
        length = len(row)
    return chosen, length


def _background(rng, count, samples, crowd, backgrounds=()):
    """Noise of some kind for each clip: float32 [count, samples], root mean square 1."""
    kinds = (*NOISES, "babble") if crowd is not None else NOISES
    weights = np.array([1.5, 2.0, 1.5, 0.8, 0.7, 2.5][:len(kinds)])
    drawn = rng.choice(len(kinds), count, p=weights / weights.sum())
    made = np.empty((count, samples), np.float32)
    for number, kind in enumerate(kinds):
        rows = np.flatnonzero(drawn == number)
        if not len(rows):
            continue
        if kind == "babble":
            starts = rng.integers(0, len(crowd) - samples, len(rows))
            made[rows] = crowd[starts[:, None] + np.arange(samples)]
        else:
            made[rows] = noise(kind, (len(rows), samples), rng)
    if len(backgrounds):
        for row in np.flatnonzero(rng.random(count) < 0.5):
            sound = backgrounds[rng.integers(len(backgrounds))]
            start = int(rng.integers(0, max(1, len(sound) - samples)))
            piece = np.resize(sound[start:start + samples], samples).astype(np.float32)
            made[row] = piece / max(1.0, np.sqrt(np.square(piece).mean()))
    return made


def _levels(rng, wet, behind, length, snr_db, loudness_db):
    """Speech [count, samples] and background to int16, at a loudness and a ratio of powers."""
    count, samples = wet.shape
    power = np.square(wet).sum(axis=1) / np.minimum(length, samples)
    level = 10 ** (rng.uniform(*loudness_db, count) / 20)
    speech = np.where(power > 1e-14, level / np.sqrt(np.maximum(power, 1e-14)), 0)
    low_db, high_db = (snr_db, snr_db) if np.ndim(snr_db) == 0 and snr_db is not None else snr_db or (0, 0)
    ratio = 10 ** (rng.uniform(low_db, high_db, count) / 20) if snr_db is not None else np.full(count, np.inf)
    made = wet * speech.astype(np.float32)[:, None] + behind * (level / ratio).astype(np.float32)[:, None]
    # A microphone is never quite still.
    made += rng.standard_normal((count, samples), np.float32) * np.float32(10) ** (rng.uniform(-90, -75, (count, 1)) / 20).astype(np.float32)
    made *= 32768
    return np.clip(np.rint(made, out=made), -32768, 32767, out=made).astype(np.int16)


def stream(words: Dataset, seconds: float = 60.0, seed: int = 0, split: str | None = "test", snr_db=(5.0, 30.0),
           keyword_share: float = 0.3, gap_s=(0.3, 4.0), loudness_db=(-35.0, -15.0)
           ) -> tuple[Recording, list[tuple[float, float, str]]]:
    """A long sound in which somebody says something now and then, as a microphone in a kitchen hears it.

    Parameters
    ----------
    words, seed, split
        As in `clips`.
    seconds : float
        How long; an hour takes 115 MB.
    snr_db : (float, float)
        How much stronger the words are than the background, which changes every 5 to 20 s.
    keyword_share : float
        How many of the words are keywords; the others are unknown words. 0 gives an hour without any.
    gap_s : (float, float)
        From the end of a word to the start of the next, in seconds.
    loudness_db : (float, float)
        Root mean square of the words, in decibels below full scale.

    Returns
    -------
    recording : Recording
        int16 [n, 1] at 16 kHz: ``world.play(recording)`` lets the simulated microphone hear it.
    truth : list of (start_s, stop_s, label)
        Every word, unknown ones too.
    """
    from scipy import signal

    rng = np.random.default_rng(np.random.SeedSequence([seed, 7, SPLITS.index(split) if split in SPLITS else 9]))
    part = _part(words, split)
    keywords = [r for r in part if r.label not in ("unknown", "silence")]
    others = [r for r in part if r.label == "unknown"]
    total = round(seconds * RATE_HZ)
    crowd = babble(words, 30 * RATE_HZ, rng, split=split) if others else None
    made = np.empty(total, np.float32)
    level = 10 ** (rng.uniform(*loudness_db) / 20)
    at = 0
    while at < total:
        length = min(total - at, int(rng.uniform(5, 20) * RATE_HZ))
        quiet = level / 10 ** (rng.uniform(*snr_db) / 20)
        made[at:at + length] = _background(rng, 1, length, crowd)[0] * quiet
        at += length
    made += rng.standard_normal(total, np.float32) * np.float32(1e-4)
    truth, at = [], int(rng.uniform(0.5, 1.5) * RATE_HZ)
    while True:
        choice = keywords if keywords and (not others or rng.random() < keyword_share) else others
        recording = choice[rng.integers(len(choice))]
        word = recording.samples[:, 0].astype(np.float32)
        if at + len(word) + RATE_HZ // 2 > total:
            break
        wet = signal.fftconvolve(word, room(rng)) if rng.random() < 0.7 else word
        wet = wet * (level * 10 ** rng.uniform(-0.15, 0.15) / np.sqrt(np.square(wet).sum() / len(word)))
        _add(made, wet.astype(np.float32), at)
        truth.append((round(at / RATE_HZ, 3), round((at + len(word)) / RATE_HZ, 3), recording.label))
        at += len(word) + int(rng.uniform(*gap_s) * RATE_HZ)
    np.clip(np.rint(made * 32768, out=made), -32768, 32767, out=made)
    return Recording(made.astype(np.int16), source="synthetic", **_SOUND), truth
