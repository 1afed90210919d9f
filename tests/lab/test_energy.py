"""The calculator of lesson 01: its arithmetic, and the conclusions that the lesson draws from it."""

from dataclasses import replace

import numpy as np
import pytest

from edgekit.errors import DataError
from edgekit.lab import energy as e


def test_compute_by_hand():
    # 2.90 instructions a MAC, 1.3 cycles an instruction, 64 million cycles a second, 9.9 mW.
    assert e.CORTEX_M4_C.run_ms(64_000_000 / (2.90 * 1.3)) == pytest.approx(1000)
    assert e.CORTEX_M4_C.run_mj(64_000_000 / (2.90 * 1.3)) == pytest.approx(9.9)
    assert e.CORTEX_M4_C.nj_per_mac == pytest.approx(9.9e-3 * 2.90 * 1.3 / 64e6 * 1e9)


def test_radio_by_hand():
    radio = e.Radio("x", tx_mw=10, rate_kbps=8, session_mj=5, session_ms=1, connected_mw=1, packet_bytes=100,
                    packet_overhead_bytes=10, inr_per_gb=0, source="none")
    assert radio.send_ms(100) == pytest.approx(110)             # one packet, 8 bit/ms: a byte a millisecond
    assert radio.send_ms(101) == pytest.approx(121)             # a second packet for one more byte
    assert radio.send_mj(100) == pytest.approx(1.1)
    assert radio.send_ms(0) == 0
    assert radio.link_mj_per_day(10) == 50                      # reconnecting is cheaper
    assert radio.link_mj_per_day(1e6) == e.DAY_S * 1            # staying connected is cheaper


def test_compare_adds_up():
    both = e.compare(e.FIELD_SENSOR, e.LORA, e.CORTEX_M4_C)
    n = e.FIELD_SENSOR.decisions_per_day
    assert both.cloud.mj_per_day == pytest.approx(n * (3 + e.LORA.send_mj(32_000)))
    assert both.edge.mj_per_day == pytest.approx(2 * (3 + e.LORA.send_mj(12)) + n * e.CORTEX_M4_C.run_mj(2_656_768))
    assert both.cloud.mj_per_decision * n == pytest.approx(both.cloud.mj_per_day)
    assert both.cloud.bytes_per_day == 96 * 32_000
    assert both.edge.bytes_per_day == 24
    assert both.cloud.j_per_day == both.cloud.mj_per_day / 1000


@pytest.mark.parametrize("task, radio, compute", [
    (e.WEARABLE, e.BLE, e.CORTEX_M4_C),
    (e.FIELD_SENSOR, e.LORA, e.CORTEX_M4_C),
    (e.METER, e.WIFI, e.ESP32_C),
])
def test_the_edge_wins_the_three_cases_clearly(task, radio, compute):
    both = e.compare(task, radio, compute)
    assert both.cloud.mj_per_decision > 5 * both.edge.mj_per_decision
    assert both.cloud.ms_per_decision > both.edge.ms_per_decision


def test_the_cloud_wins_the_traps_clearly():
    photo = e.compare(e.LEAF_PHOTO, e.WIFI, e.ESP32_C)
    assert photo.edge.mj_per_decision > 3 * photo.cloud.mj_per_decision
    assert photo.edge.ms_per_decision > 3 * photo.cloud.ms_per_decision
    # The same network, the same chip, but bytecode: lesson 01's second trap.
    slow = e.compare(e.WEARABLE, e.BLE, e.CORTEX_M4_MICROPYTHON)
    assert slow.edge.mj_per_decision > 5 * slow.cloud.mj_per_decision


def test_the_wearable_runs_the_gesture_network_of_the_course():
    from edgekit.paths import MODELS
    from edgekit.tflite import report
    assert report(MODELS / "gesture_int8.tflite", boards=()).macs == e.WEARABLE.macs


def test_curve_agrees_with_compare_and_stops_where_the_chip_is_busy():
    decisions = [1, 10, 1e5]
    ways = e.curve(e.LEAF_PHOTO, e.WIFI, e.ESP32_C, decisions)
    ten = e.compare(replace(e.LEAF_PHOTO, decisions_per_day=10), e.WIFI, e.ESP32_C)
    assert ways["edge"][1] == pytest.approx(ten.edge.mj_per_decision)
    assert ways["cloud"][1] == pytest.approx(ten.cloud.mj_per_decision)
    assert np.isnan(ways["edge"][2]) and np.isfinite(ways["cloud"][2])
    assert np.isnan(e.curve(e.FIELD_SENSOR, e.LORA, e.CORTEX_M4_C, [3000])["cloud"]).all()


def test_too_many_decisions_for_the_chip_or_the_radio():
    with pytest.raises(DataError, match="do not fit into a day of ESP32, C.*Take fewer"):
        e.compare(replace(e.LEAF_PHOTO, decisions_per_day=10_000), e.WIFI, e.ESP32_C)
    with pytest.raises(DataError, match=r"do not fit into a day of LoRa"):
        e.compare(replace(e.FIELD_SENSOR, decisions_per_day=3000), e.LORA, e.CORTEX_M4_C)
    with pytest.raises(DataError, match="expected a number above 0"):
        e.compare(replace(e.LEAF_PHOTO, decisions_per_day=0), e.WIFI, e.ESP32_C)


def test_plot_draws_what_the_calculator_says():
    ax, = e.plot_kilobyte(e.RADIOS, e.CORTEX_M4_C).axes
    drawn = [bar.get_width() for bar in ax.patches]
    expected = [e.macs_per_kilobyte(radio, e.CORTEX_M4_C, session) for session in (False, True) for radio in e.RADIOS]
    assert drawn == pytest.approx(expected)
    assert "(estimated)" in ax.get_xlabel()


def test_table_has_two_digits_and_says_estimated():
    table = e.compare(e.WEARABLE, e.BLE, e.CORTEX_M4_C).table()
    assert table.loc["leaves the device (bytes/day)", "cloud"] == "100,000,000"
    assert table.loc["energy for a decision (mJ)", "edge"] == "0.010"
    assert "estimated" in table.index.name


@pytest.mark.parametrize("thing", [*e.RADIOS, *e.COMPUTES, *e.TASKS], ids=lambda t: t.name)
def test_every_figure_has_a_source(thing):
    assert "(20" in thing.source or "As above" in thing.source or thing is e.WEARABLE
