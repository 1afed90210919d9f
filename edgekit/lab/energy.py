"""What a decision costs on the edge and in the cloud: bytes, milliwatts, milliseconds, money (lesson 01).

All figures are estimated from data sheets and public measurements; each ``source`` field names them. They are
right to a factor of two or three, and lesson 01 draws no conclusion from less than that. Where a figure is
uncertain, the one that flatters the cloud was taken.

The model of the two ways::

    energy per day, cloud = link(decisions) + decisions * bytes of one input
    energy per day, edge  = link(reports)   + decisions * MACs of one inference + bytes of the reports
    link(n)               = the cheaper of: n times "wake up, connect, sleep", or "stay connected all day"

Sleep current and the sensor are left out: both ways need the same.
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from edgekit.errors import DataError

DAY_S = 86_400
KILOBYTE = 1024

CLOUD_SERVER_MS = 150.0
"""The way through the internet and the server's work, in ms: an assumption, not a measurement."""

CLOUD_INR_PER_MILLION = 90.0
"""Price of a million small decisions on a rented server, in rupees: AWS Lambda price list, 2024: 0.20 USD for
a million requests, and 0.1 s at 0.5 GB for 0.83 USD; at 88 INR for a USD."""


@dataclass(frozen=True)
class Radio:
    """A way to send bytes.

    Parameters
    ----------
    name : str
        What it is called in tables and plots.
    tx_mw : float
        Power while it sends, in mW.
    rate_kbps : float
        Bits that it sends in a millisecond (kbit/s), as an application sees them.
    session_mj, session_ms : float
        Energy (mJ) and time (ms) to wake up and get connected, before the first byte goes out.
    connected_mw : float
        Average power to stay connected without sending, in mW.
    packet_bytes, packet_overhead_bytes : int
        Largest payload of a packet, and what each packet adds to it.
    inr_per_gb : float
        Price of the data, in rupees per gigabyte.
    source : str
        Where the figures come from.
    """

    name: str
    tx_mw: float
    rate_kbps: float
    session_mj: float
    session_ms: float
    connected_mw: float
    packet_bytes: int
    packet_overhead_bytes: int
    inr_per_gb: float
    source: str

    def send_ms(self, payload_bytes: int) -> float:
        """Time on the air for ``payload_bytes``, in ms; without the session.

        Examples
        --------
        >>> round(LORA.send_ms(60))     # The Things Network reports 112 ms for 60 bytes at SF7
        120
        """
        packets = -(-payload_bytes // self.packet_bytes)
        return (payload_bytes + packets * self.packet_overhead_bytes) * 8 / self.rate_kbps

    def send_mj(self, payload_bytes: int) -> float:
        """Energy to send ``payload_bytes``, in mJ; without the session."""
        return self.tx_mw * self.send_ms(payload_bytes) / 1000

    def link_mj_per_day(self, sessions_per_day: float) -> float:
        """Energy of a day to be connected when needed, in mJ: the cheaper of reconnecting and staying."""
        return min(sessions_per_day * self.session_mj, self.connected_mw * DAY_S)


@dataclass(frozen=True)
class Compute:
    """A way to multiply and add.

    Parameters
    ----------
    name : str
        What it is called in tables and plots.
    active_mw : float
        Power while it computes, in mW.
    clock_mhz : float
        Clock rate, in MHz.
    instructions_per_mac : float
        Machine instructions for one multiply-accumulate of a whole network.
    source : str
        Where the figures come from.
    cycles_per_instruction : float
        Clock cycles that an instruction takes on average: 1 at best, more when the flash memory is slow.
        An assumption.
    """

    name: str
    active_mw: float
    clock_mhz: float
    instructions_per_mac: float
    source: str
    cycles_per_instruction: float = 1.3

    def run_ms(self, macs: float) -> float:
        """Time for ``macs`` multiply-accumulates, in ms."""
        return macs * self.instructions_per_mac * self.cycles_per_instruction / (self.clock_mhz * 1000)

    def run_mj(self, macs: float) -> float:
        """Energy for ``macs`` multiply-accumulates, in mJ."""
        return self.active_mw * self.run_ms(macs) / 1000

    @property
    def nj_per_mac(self) -> float:
        """Energy of one multiply-accumulate, in nJ."""
        return self.run_mj(1) * 1e6


@dataclass(frozen=True)
class Task:
    """Something to decide again and again.

    Parameters
    ----------
    name : str
        What it is called in tables and plots.
    input_bytes : int
        New sensor data for one decision: what the cloud needs.
    macs : int
        Multiply-accumulates of one inference: what the edge needs.
    decisions_per_day : float
        How often.
    reports_per_day : float
        How often the edge has something to tell (events, or a sign of life).
    report_bytes : int
        Size of such a report.
    source : str
        Where the figures come from.
    """

    name: str
    input_bytes: int
    macs: int
    decisions_per_day: float
    reports_per_day: float
    report_bytes: int
    source: str


@dataclass(frozen=True)
class Cost:
    """What one of the two ways costs. Every figure is estimated."""

    bytes_per_day: float
    mj_per_decision: float
    mj_per_day: float
    ms_per_decision: float
    inr_per_year: float

    @property
    def j_per_day(self) -> float:
        """Energy of a day, in J."""
        return self.mj_per_day / 1000


@dataclass(frozen=True)
class Comparison:
    """The two ways side by side: ``edge`` and ``cloud`` are :class:`Cost`."""

    task: Task
    radio: Radio
    compute: Compute
    edge: Cost
    cloud: Cost

    def table(self):
        """As a pandas DataFrame: a row for each kind of cost, a column for each way."""
        import pandas as pd
        rows = {
            "leaves the device (bytes/day)": "bytes_per_day",
            "energy for a decision (mJ)": "mj_per_decision",
            "energy for a day (J)": "j_per_day",
            "time to the answer (ms)": "ms_per_decision",
            "data and server (₹/year)": "inr_per_year",
        }
        ways = {"edge": self.edge, "cloud": self.cloud}
        columns = {way: [two_digits(getattr(cost, field)) for field in rows.values()] for way, cost in ways.items()}
        return pd.DataFrame(columns, index=list(rows)).rename_axis(f"{self.task.name} (estimated)")


def two_digits(value: float) -> str:
    """Write a number with the two digits that an estimate carries.

    Examples
    --------
    >>> two_digits(337136), two_digits(0.008758), two_digits(0)
    ('340,000', '0.0088', '0')
    """
    if value == 0:
        return "0"
    digits = 1 - math.floor(math.log10(abs(value)))
    return f"{round(value, digits):,.{max(digits, 0)}f}"


def compare(task: Task, radio: Radio, compute: Compute) -> Comparison:
    """Work out what a task costs on the edge and in the cloud.

    Parameters
    ----------
    task : Task
        What to decide, and how often.
    radio : Radio
        Carries the inputs to the cloud, or the reports of the edge.
    compute : Compute
        Decides on the edge.

    Returns
    -------
    Comparison
        ``.edge`` and ``.cloud``; ``.table()`` to look at.

    Raises
    ------
    DataError
        The task has no decision, or the chip cannot decide, or the radio send, that often.

    Examples
    --------
    >>> both = compare(FIELD_SENSOR, LORA, CORTEX_M4_C)
    >>> round(both.cloud.mj_per_decision / both.edge.mj_per_decision) > 1000
    True
    """
    n = task.decisions_per_day
    if n <= 0:
        raise DataError(f"{task.name}: {n} decisions a day; expected a number above 0.")
    for ms, what in ((compute.run_ms(task.macs), compute.name), (radio.send_ms(task.input_bytes), radio.name)):
        if ms * n > DAY_S * 1000:
            raise DataError(f"{task.name}: {n:,.0f} decisions a day of {ms:,.0f} ms each do not fit into a day of "
                            f"{what}. Take fewer decisions, a smaller model or input, or something faster.")
    return Comparison(task, radio, compute, _edge(task, radio, compute), _cloud(task, radio))


def _edge(task, radio, compute):
    n, reports = task.decisions_per_day, task.reports_per_day
    day_mj = (radio.link_mj_per_day(reports) + reports * radio.send_mj(task.report_bytes)
              + n * compute.run_mj(task.macs))
    sent_bytes = reports * task.report_bytes
    return Cost(sent_bytes, day_mj / n, day_mj, compute.run_ms(task.macs), _data_inr(sent_bytes, radio))


def _cloud(task, radio):
    n = task.decisions_per_day
    link_mj = radio.link_mj_per_day(n)
    day_mj = link_mj + n * radio.send_mj(task.input_bytes)
    reconnect_ms = radio.session_ms if link_mj == n * radio.session_mj else 0
    sent_bytes = n * task.input_bytes
    return Cost(sent_bytes, day_mj / n, day_mj, reconnect_ms + radio.send_ms(task.input_bytes) + CLOUD_SERVER_MS,
                _data_inr(sent_bytes, radio) + n * 365 / 1e6 * CLOUD_INR_PER_MILLION)


def curve(task: Task, radio: Radio, compute: Compute, decisions_per_day) -> dict[str, np.ndarray]:
    """Energy of a decision on both ways, for several numbers of decisions per day.

    Parameters
    ----------
    task, radio, compute
        As for :func:`compare`; the task's own ``decisions_per_day`` is not used.
    decisions_per_day : array_like of float
        The numbers to try.

    Returns
    -------
    dict of str to ndarray
        ``"edge"`` and ``"cloud"``: mJ for a decision. nan where the chip cannot decide, or the radio send, that
        often.

    Examples
    --------
    >>> curve(LEAF_PHOTO, WIFI, ESP32_C, [1, 1_000_000])["edge"].round()
    array([3892.,   nan])
    """
    ways = {"edge": [], "cloud": []}
    for n in decisions_per_day:
        often = replace(task, decisions_per_day=n)
        for way, cost, ms in (("edge", _edge(often, radio, compute), compute.run_ms(task.macs)),
                              ("cloud", _cloud(often, radio), radio.send_ms(task.input_bytes))):
            ways[way].append(cost.mj_per_decision if n * ms <= DAY_S * 1000 else math.nan)
    return {way: np.array(values) for way, values in ways.items()}


def _data_inr(bytes_per_day, radio):
    return bytes_per_day * 365 / 1e9 * radio.inr_per_gb


def macs_per_kilobyte(radio: Radio, compute: Compute, session: bool = False) -> float:
    """How many multiply-accumulates cost as much energy as sending one kilobyte (1024 bytes)?

    Parameters
    ----------
    radio : Radio
        Sends the kilobyte.
    compute : Compute
        Does the multiply-accumulates.
    session : bool
        Also count waking up and connecting.

    Returns
    -------
    float
        Multiply-accumulates.

    Examples
    --------
    >>> 1e5 < macs_per_kilobyte(BLE, CORTEX_M4_C) < 1e6
    True
    """
    energy_mj = radio.send_mj(KILOBYTE) + (radio.session_mj if session else 0)
    return energy_mj / compute.run_mj(1)


def plot_kilobyte(radios, compute: Compute):
    """Draw for each radio how many multiply-accumulates one kilobyte costs, without and with its session.

    Parameters
    ----------
    radios : sequence of Radio
    compute : Compute

    Returns
    -------
    matplotlib.figure.Figure
    """
    from matplotlib import pyplot

    from edgekit.lab.plot import CYCLE
    figure, ax = pyplot.subplots(figsize=(8, 0.8 + 0.6 * len(radios)), layout="constrained")
    place = np.arange(len(radios))
    for i, name in enumerate(("the bytes alone", "waking up and connecting as well")):
        macs = [macs_per_kilobyte(radio, compute, session=bool(i)) for radio in radios]
        bars = ax.barh(place + 0.4 * i - 0.2, macs, 0.38, color=CYCLE[i], label=name)
        ax.bar_label(bars, [f"{two_digits(n / 1e6)} million" for n in macs], padding=4, fontsize="small")
    ax.set_xscale("log")
    low, high = ax.get_xlim()
    ax.set(xlim=(low, 30 * high), yticks=place, yticklabels=[radio.name for radio in radios],
           xlabel=f"MACs on a {compute.name} for the energy of one kilobyte (estimated)")
    ax.invert_yaxis()
    ax.legend(fontsize="small")
    pyplot.close(figure)
    return figure


def battery_days(mj_per_day: float, battery_j: float) -> float:
    """Days that a battery lasts if nothing else draws from it.

    Parameters
    ----------
    mj_per_day : float
        Energy of a day, in mJ.
    battery_j : float
        Energy in the battery, in J; for example :data:`COIN_CELL_J`.

    Returns
    -------
    float
        Days.

    Examples
    --------
    >>> battery_days(mj_per_day=1000, battery_j=10)
    10.0
    """
    return battery_j * 1000 / mj_per_day


COIN_CELL_J = 225 * 3.6 * 3.0
"""A CR2032 coin cell: 225 mAh at 3 V (data sheets of its makers)."""
TWO_AA_J = 2500 * 3.6 * 3.0
"""Two alkaline AA cells in series: 2500 mAh at 3 V, at small currents (data sheets of their makers)."""

WIFI = Radio("Wi-Fi (ESP32)", tx_mw=190 * 3.3, rate_kbps=5000, session_mj=204.3 * 3.3, session_ms=1626,
             connected_mw=20 * 3.3, packet_bytes=1400, packet_overhead_bytes=60, inr_per_gb=0,
             source="190 mA to send: Espressif, ESP32 data sheet (2023), 802.11g. 5 Mbit/s: assumed. Connecting with "
                    "DHCP: 204.3 mC in 1.63 s: measured by glenn20, github.com/glenn20/upy-esp32-experiments (2022). "
                    "Staying connected: about 20 mA in modem sleep: Espressif, ESP Low Power Introduction (2024)")
BLE = Radio("Bluetooth LE (nRF52840)", tx_mw=4.8 * 3.0, rate_kbps=600, session_mj=0.05, session_ms=30,
            connected_mw=0.03, packet_bytes=244, packet_overhead_bytes=17, inr_per_gb=0,
            source="4.8 mA at 0 dBm and 3 V: Nordic, nRF52840 product specification (2019). 600 kbit/s on the 1 Mbit/s "
                   "PHY and 10 uA to stay connected: assumed. The telephone's own energy is not counted")
LORA = Radio("LoRa SF7 (SX1276)", tx_mw=29 * 3.3, rate_kbps=5.47, session_mj=3, session_ms=2000,
             connected_mw=10.8 * 3.3, packet_bytes=222, packet_overhead_bytes=22, inr_per_gb=0,
             source="29 mA at +13 dBm, 10.8 mA to listen: Semtech, SX1276 data sheet (2020). 5.47 kbit/s at SF7, 222 bytes "
                    "a packet: LoRaWAN regional parameters (2020). Session: two short listening windows, assumed")
LTE_M = Radio("LTE-M (nRF9160)", tx_mw=115 * 3.7, rate_kbps=180, session_mj=105, session_ms=1500,
              connected_mw=10 * 3.7, packet_bytes=1400, packet_overhead_bytes=60, inr_per_gb=18,
              source="115 mA at 23 dBm and 180 kbit/s, 105 mJ to wake up in the best case: Nordic, nRF9160 "
                     "product specification (2021). 10 mA to stay connected: assumed. 0.26 USD a GB: cable.co.uk, India (2019)")
RADIOS = (BLE, WIFI, LTE_M, LORA)

CORTEX_M4_C = Compute("Cortex-M4, C with SIMD", active_mw=3.3 * 3.0, clock_mhz=64, instructions_per_mac=2.90,
                      source="3.3 mA at 64 MHz: Nordic, nRF52840 product specification (2019). Instructions: TensorFlow Lite "
                             "Micro with CMSIS-NN, keyword model, counted in an emulator (2026)")
CORTEX_M4_MICROPYTHON = Compute("Cortex-M4, MicroPython", active_mw=3.3 * 3.0, clock_mhz=64, instructions_per_mac=638,
                                source="As above; instructions: a dot product in bytecode, counted in an emulator (2026)")
ESP32_C = Compute("ESP32, C", active_mw=50 * 3.3, clock_mhz=240, instructions_per_mac=12.0,
                  source="30-68 mA at 240 MHz: Espressif, ESP32 data sheet (2023). Instructions: TinyMaix in C, counted in an "
                         "emulator (2026)")
ESP32_MICROPYTHON = Compute("ESP32, MicroPython", active_mw=50 * 3.3, clock_mhz=240, instructions_per_mac=719,
                            source="As above; instructions: a dot product in bytecode, counted in an emulator (2026)")
COMPUTES = (CORTEX_M4_C, ESP32_C, CORTEX_M4_MICROPYTHON, ESP32_MICROPYTHON)

WEARABLE = Task("wearable: which gesture, or a fall?", input_bytes=32 * 6 * 2, macs=17_424,
                decisions_per_day=DAY_S * 100 / 32, reports_per_day=50, report_bytes=20,
                source="100 samples a second of 6 channels as int16, a decision every 32 samples; the gesture network that "
                       "the course ships (edgekit.tflite.report counts its MACs)")
FIELD_SENSOR = Task("field sensor: do I hear pests?", input_bytes=16_000 * 2, macs=2_656_768,
                    decisions_per_day=96, reports_per_day=2, report_bytes=12,
                    source="1 s of sound at 16 kHz as int16, every 15 minutes; the keyword network of MLPerf Tiny (2021)")
METER = Task("electricity meter: which machine runs?", input_bytes=4_000 * 2, macs=264_192,
             decisions_per_day=DAY_S, reports_per_day=96, report_bytes=20,
             source="1 s of current at 4 kHz as int16, every second; a network of the size of MLPerf Tiny's autoencoder (2021)")
LEAF_PHOTO = Task("leaf photo: which of 1000 diseases?", input_bytes=30_000, macs=300_000_000,
                  decisions_per_day=1, reports_per_day=1, report_bytes=20,
                  source="A JPEG of 30 kB; MobileNetV2 at 224 x 224 pixels: 300 M MACs, Sandler et al. (2018)")
TASKS = (WEARABLE, FIELD_SENSOR, METER, LEAF_PHOTO)
