"""The electric power of a home, second by second, simulated: appliances, people, weather, and what goes wrong.

Each home is a small Indian household on 230 V: a fridge whose thermostat follows the room's temperature, in some homes
a freezer, an air conditioner or a pump; water heater, kettle, cooker, iron, washing machine, fans, lights, television.
People get up, go to work, come home, have guests, travel. A current clamp at the main switch sees the sum of all.

The fridge is a first-order thermal model with a two-point thermostat. Its inside at temperature T follows

    off:  tau dT/dt = T_room - T                 on:  tau dT/dt = T_room - lift - T

so it stays off for tau ln((T_room - cold) / (T_room - warm)) and on for tau ln((warm - T_on) / (cold - T_on)), with
T_on = T_room - lift. A compressor that loses its gas has less and less ``lift``: it runs longer and longer, and once
T_on is above ``cold``, for ever. (Newton's law of cooling; for the model of a house appliance with it see P. Bacher and
H. Madsen, "Identifying suitable models for the heat dynamics of buildings", Energy and Buildings 43, 2011.)

Everything is synthetic: good for learning the method, no proof that it works in your home.

>>> power, truth = make_power("h01", days=2, faults=[("left_on", 1.2)])
>>> len(power), power.channels, power.units
(172800, ('power',), ('W',))
>>> [(kind, round(start_s / 3600, 1)) for start_s, _, kind in truth]
[('left_on', 28.8)]
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edgekit.dataset import Dataset
from edgekit.errors import DataError
from edgekit.paths import DATASETS, atomic_write
from edgekit.recording import Recording

__all__ = ["FAULTS", "HOMES", "LEARN_DAYS", "TEST_HOMES", "load_truth", "load_uci_household", "make_dataset", "make_power",
           "per_minute", "save_truth", "script"]

FAULTS = ("fridge_creeps", "fridge_stops", "left_on", "leak", "stuck", "spike")
HOMES = ("h01", "h02", "h03")
"""The homes of the shipped set: for looking, and for choosing limits."""
TEST_HOMES = tuple(f"h{number}" for number in range(51, 63))
"""Homes that nothing was chosen with."""
LEARN_DAYS = 8
"""Days at the beginning of :func:`script` without a fault."""

DAY_S = 86_400
MINUTE_CHANNELS = ("mean", "least", "most")
_LARGEST_W = 32_767


@dataclass(frozen=True)
class _Home:
    """What makes one home's power its own. Powers in W, times in s or hours, temperatures in degrees Celsius."""

    people: int
    wake_h: float
    sleep_h: float
    leave_h: float           # of a working day
    return_h: float
    somebody_stays: bool     # a grandparent: the home is never empty on a working day
    start_day: int           # day of the year on which the recording begins
    base_w: int              # router, chargers, doorbell
    fridge_w: int
    fridge_tau_s: float
    fridge_lift: float
    fridge_defrosts: bool
    freezer_w: int           # 0: none
    freezer_tau_s: float
    freezer_lift: float
    cooler_w: int            # air conditioner, 0: none
    cooler_likes_c: float    # it is switched on above this
    pump_w: int              # 0: none
    pump_min: float
    geyser_w: int
    kettle_w: int
    cooker_w: int            # induction, 0: gas
    iron_w: int
    washer_heats: bool
    television_w: int
    computer_w: int          # 0: none
    fans: int
    fan_w: int
    lights: int
    light_w: int
    cuts_per_week: float     # power cuts; the meter has a battery
    gain: float              # of the clamp
    noise_w: float


def _number(home):
    if not (home[:1] == "h" and home[1:].isdecimal()):
        raise DataError(f"No virtual home {home!r}: expected 'h' and a number, for example 'h01'. "
                        f"{', '.join(HOMES)} are in the shipped set.")
    return int(home[1:])


def _home(home: str) -> _Home:
    rng = np.random.default_rng(np.random.SeedSequence([230, _number(home)]))
    fridge_w = int(rng.integers(85, 165))
    has_freezer, has_cooler, has_pump = rng.random(3) < (0.3, 0.6, 0.6)
    return _Home(
        people=int(rng.integers(1, 6)), wake_h=rng.uniform(5.5, 7.2), sleep_h=rng.uniform(21.8, 23.8),
        leave_h=rng.uniform(8, 9.8), return_h=rng.uniform(16.5, 19.5), somebody_stays=bool(rng.random() < 0.45),
        start_day=int(rng.integers(0, 365)), base_w=int(rng.integers(18, 75)), fridge_w=fridge_w,
        fridge_tau_s=rng.uniform(8500, 14500), fridge_lift=rng.uniform(50, 66), fridge_defrosts=bool(rng.random() < 0.5),
        freezer_w=round(fridge_w * rng.uniform(1.5, 1.9)) if has_freezer else 0, freezer_tau_s=rng.uniform(15000, 22000),
        freezer_lift=rng.uniform(82, 95), cooler_w=int(rng.integers(1000, 1800)) if has_cooler else 0,
        cooler_likes_c=rng.uniform(28, 31), pump_w=int(rng.integers(370, 900)) if has_pump else 0,
        pump_min=rng.uniform(15, 40), geyser_w=int(rng.integers(1500, 3000)), kettle_w=int(rng.integers(1200, 2200)),
        cooker_w=int(rng.integers(1200, 2000)) if rng.random() < 0.5 else 0, iron_w=int(rng.integers(800, 1400)),
        washer_heats=bool(rng.random() < 0.4), television_w=int(rng.integers(50, 140)),
        computer_w=int(rng.integers(50, 130)) if rng.random() < 0.6 else 0, fans=int(rng.integers(2, 5)),
        fan_w=int(rng.integers(45, 75)), lights=int(rng.integers(4, 10)), light_w=int(rng.integers(7, 20)),
        cuts_per_week=rng.uniform(0, 3), gain=rng.normal(1, 0.02), noise_w=rng.uniform(1.0, 2.2))


class _Sum:
    """Steps of power at whole seconds; their running sum is the power. Integers: exact on every machine."""

    def __init__(self, seconds):
        self.seconds = seconds
        self._at, self._step = [], []         # one by one
        self._many_at, self._many = [], []    # arrays

    def step(self, at_s, watts):
        """Steps of ``watts`` at all of ``at_s``; both may be arrays."""
        self._many_at.append(np.atleast_1d(at_s))
        self._many.append(np.broadcast_to(watts, self._many_at[-1].shape))

    def use(self, start_s, duration_s, watts, inrush=1.0):
        """An appliance runs; a motor takes ``inrush`` times its power in its first second."""
        start_s, duration_s, watts = round(start_s), max(1, round(duration_s)), round(watts)
        self._at += (start_s, start_s + duration_s)
        self._step += (watts, -watts)
        if inrush > 1:
            more = round(watts * (inrush - 1))
            self._at += (start_s, start_s + 1)
            self._step += (more, -more)

    def pulses(self, start_s, stop_s, on_s, off_s, watts):
        """It switches itself on and off: a thermostat, an induction plate, a drum that turns back."""
        starts = np.arange(round(start_s), round(stop_s), round(on_s + off_s))
        self.step(starts, round(watts))
        self.step(starts + round(on_s), -round(watts))

    def total(self):
        at = np.clip(np.concatenate([np.array(self._at, np.int64), *self._many_at]), 0, self.seconds)
        steps = np.bincount(at, weights=np.concatenate([np.array(self._step, np.int64), *self._many]),
                            minlength=self.seconds + 1)
        return np.cumsum(steps[:self.seconds].astype(np.int64))


@dataclass(frozen=True)
class _Weather:
    room_c: np.ndarray   # for each hour

    def at(self, time_s):
        return self.room_c[min(int(time_s // 3600), len(self.room_c) - 1)]


def _weather(rng, home, days, hotter_c):
    mean, day_mean = 0.0, []
    for day in range(days + 1):
        mean = 0.75 * mean + rng.normal(0, 1.2)
        season = 26 + 6 * np.sin(2 * np.pi * (home.start_day + day - 44) / 365)
        day_mean.append(season + mean)
    hour = np.arange(24 * days)
    room = np.interp(hour / 24, np.arange(days + 1) + 0.5, day_mean) + 1.8 * np.sin(2 * np.pi * (hour - 9) / 24)
    # On a grid, so that another machine's last bit of a sine moves no thermostat.
    return _Weather(np.rint((room + np.asarray(hotter_c)) * 256) / 256)


@dataclass(frozen=True)
class _Day:
    """When who is there, in hours of the day."""

    number: int
    away: bool       # everybody travels
    guests: int
    workday: bool
    wake_h: float
    sleep_h: float
    out_h: tuple     # (from, to) when nobody is at home, or ()

    def home_h(self):
        """Stretches in which somebody is at home and awake."""
        if self.away:
            return []
        if not self.out_h:
            return [(self.wake_h, self.sleep_h)]
        return [(self.wake_h, self.out_h[0]), (self.out_h[1], self.sleep_h)]


def _calendar(rng, home, days, away, guests):
    calendar = []
    first = int(rng.integers(7))
    for number in range(days):
        workday = (first + number) % 7 < 5 and rng.random() > 0.04
        wake_h = home.wake_h + rng.normal(0, 0.3) + (0 if workday else rng.uniform(0, 1.5))
        sleep_h = min(23.95, home.sleep_h + rng.normal(0, 0.4))
        out_h = ()
        if workday and not home.somebody_stays:
            out_h = (home.leave_h + rng.normal(0, 0.25), home.return_h + rng.normal(0, 0.6))
        elif rng.random() < 0.4:
            leave_h = rng.uniform(10, 17)
            out_h = (leave_h, leave_h + rng.uniform(1, 4))
        if out_h and out_h[1] > sleep_h - 0.5:
            out_h = (out_h[0], sleep_h - 0.5)
        calendar.append(_Day(number, number in away, guests.get(number, 0), workday, wake_h, sleep_h, out_h))
    return calendar


def _compressor(rng, total, watts, tau_s, lift, coldest, warmest, room_at, cuts, faults, defrosts):
    """Let a fridge or a freezer run. ``faults``: events. Returns for each when it is cold again."""
    now_s, temperature, on = 0, rng.uniform(coldest, warmest), rng.random() < 0.4
    look_s, ajar, knob = 0, (0, 0), 0.0
    fresh, ran_s, defrost_after_s, cold_again = True, 0, rng.uniform(6, 10) * 3600, {}
    changes = sorted({time_s for stretch in (*cuts, *faults) for time_s in stretch[:2]} | {total.seconds})
    while now_s < total.seconds:
        if now_s >= look_s:
            # Some days a door stands ajar for an hour or two; some day somebody turns the knob.
            look_s += DAY_S
            ajar = now_s + rng.integers(DAY_S // 2), rng.uniform(2400, 7200) if rng.random() < 0.06 else 0
            if rng.random() < 0.03:
                knob = rng.choice((-1.0, 0.0, 0.7))
        room = room_at(now_s)
        if ajar[0] <= now_s < ajar[0] + ajar[1]:
            room += 9.0
        cold, warm = coldest + knob, warmest + knob
        next_s = min(now_s + 3600, next(time_s for time_s in changes if time_s > now_s))
        fault = next((event for event in faults if event[0] <= now_s < event[1]), (0, 0, ""))
        if any(start <= now_s < stop for start, stop in cuts) or fault[2] == "fridge_stops":
            next_s = min(next_s, now_s + 600)
            temperature = room - (room - temperature) * np.exp((now_s - next_s) / tau_s)
            now_s, on, fresh = next_s, temperature > cold, True
            continue
        if not on:
            wait_s = tau_s * np.log((room - temperature) / (room - warm)) if temperature < warm < room else 0
            now_s, temperature, on, fresh = now_s + max(60, round(wait_s * rng.uniform(0.93, 1.07))), warm, True, True
            continue
        now_lift = lift
        if fault[2] == "fridge_creeps":
            # After two thirds of the time the compressor does not reach the cold any more.
            share = min(1.0, 1.5 * (now_s - fault[0]) / (fault[1] - fault[0]))
            now_lift = lift - share * (lift - (room - cold) + 4)
        floor = room - now_lift
        reach_s = 0.0
        if temperature > cold:
            reach_s = tau_s * np.log((temperature - floor) / (cold - floor)) * rng.uniform(0.93, 1.07) if cold > floor else np.inf
        stop_s = min(next_s, now_s + max(60, round(min(reach_s, 1e6))))
        # A compressor starts with a jolt; then its power sinks by a fifth in some minutes.
        total.use(now_s, stop_s - now_s, watts, inrush=rng.uniform(3.5, 6.5) if fresh else 1.0)
        for minute in range(min(8, (stop_s - now_s) // 60) if fresh else 0):
            total.use(now_s + 60 * minute, 60, 0.22 * watts * 0.7 ** minute)
        temperature = floor + (temperature - floor) * np.exp((now_s - stop_s) / tau_s)
        on = now_s + reach_s > next_s
        ran_s, now_s, fresh = ran_s + stop_s - now_s, stop_s, False
        if on:
            continue
        for event in faults:
            if now_s > event[1]:
                cold_again.setdefault(event, now_s)
        if defrosts and ran_s > defrost_after_s:
            # A heater melts the ice of the evaporator; the compressor waits.
            heat_s = round(rng.uniform(12, 22) * 60)
            total.use(now_s, heat_s, 1.4 * watts)
            now_s, ran_s, temperature = now_s + heat_s, 0, cold + 1
    return {event: cold_again.get(event, total.seconds) for event in faults}


def _people(rng, home, total, day, weather):
    """What people switch on in a day."""
    start_s = DAY_S * day.number

    def at(hour):
        return start_s + 3600 * hour

    def some(low_h, high_h):
        return at(rng.uniform(low_h, high_h))

    many = home.people + day.guests
    night_c = weather.at(at(23))
    if day.away:
        return
    hours = day.home_h()
    # Fans and lights, room by room.
    for from_h, to_h in [*hours, (day.sleep_h, 24), (0, day.wake_h)]:
        asleep = (from_h, to_h) not in hours
        for _ in range(home.fans if not asleep else 1 + many // 3):
            if weather.at(at((from_h + to_h) / 2)) > 26.5 + rng.normal(0, 0.8) and to_h > from_h:
                begin_h = from_h if asleep else rng.uniform(from_h, to_h)
                end_h = to_h if asleep else min(to_h, begin_h + rng.exponential(3))
                total.use(at(begin_h), 3600 * (end_h - begin_h), home.fan_w * rng.choice((0.6, 0.8, 1.0)))
        for _ in range(home.lights if not asleep else 0):
            for low_h, high_h in ((from_h, min(to_h, 7)), (max(from_h, 18.2), to_h)):
                if high_h > low_h and rng.random() < 0.7:
                    begin_h = rng.uniform(low_h, high_h)
                    total.use(at(begin_h), min(3600 * (high_h - begin_h), rng.exponential(5400)), home.light_w)
    for from_h, to_h in hours:
        if home.computer_w and rng.random() < 0.5:
            begin_h = rng.uniform(from_h, to_h)
            total.use(at(begin_h), 3600 * min(to_h - begin_h, rng.exponential(2)), home.computer_w * rng.uniform(0.8, 1.2))
        # Tea, two to a pot.
        for _ in range(rng.poisson(0.22 * many * max(0.0, to_h - from_h) / 4)):
            total.use(some(from_h, to_h), rng.uniform(100, 260), home.kettle_w)
        if rng.random() < 0.25:
            total.use(some(from_h, to_h), rng.uniform(20, 150), rng.uniform(350, 650), inrush=2.5)      # mixer
    # Television in the evening, its picture now bright, now dark.
    last_from_h, last_to_h = hours[-1]
    begin_h = max(last_from_h, rng.uniform(18, 20.5))
    if rng.random() < 0.85 and begin_h < last_to_h - 0.5:
        end_h = min(last_to_h, begin_h + rng.uniform(1, 4))
        seconds = round(3600 * (end_h - begin_h))
        total.use(at(begin_h), seconds, home.television_w)
        scenes = np.arange(round(at(begin_h)), round(at(begin_h)) + seconds - 20, 20)
        levels = rng.integers(-home.television_w // 8, home.television_w // 8 + 1, len(scenes))
        total.step(scenes, levels)
        total.step(scenes + 20, -levels)
    # Meals.
    if home.cooker_w:
        for meal_h in (day.wake_h + 0.7, 12.7, 19.3):
            if any(from_h <= meal_h <= to_h for from_h, to_h in hours) and rng.random() < 0.85:
                begin_s, cook_s = some(meal_h - 0.4, meal_h + 0.4), rng.uniform(600, 1900) * (1 + 0.1 * day.guests)
                total.use(begin_s, cook_s / 3, home.cooker_w)
                total.pulses(begin_s + cook_s / 3, begin_s + cook_s, rng.integers(3, 8), rng.integers(4, 12), home.cooker_w)
    # Hot water for baths, unless it is hot outside.
    if weather.at(at(6)) < 27.5 + rng.normal(0, 1):
        begin_s = at(day.wake_h + 0.1)
        for _ in range(1 + many // 2):
            heat_s = rng.uniform(300, 900)
            total.use(begin_s, heat_s, home.geyser_w)
            begin_s += heat_s + rng.uniform(300, 1200)
    if home.pump_w and rng.random() < 0.9:
        total.use(some(day.wake_h, day.wake_h + 1.5), 60 * home.pump_min * rng.uniform(0.8, 1.2) * (1 + 0.15 * day.guests),
                  home.pump_w, inrush=3.0)
    if rng.random() < 0.45:
        from_h, to_h = max(hours, key=lambda stretch: stretch[1] - stretch[0])
        begin_s, iron_s = some(from_h, max(from_h, to_h - 0.7)), rng.uniform(500, 2000)
        total.use(begin_s, 90, home.iron_w)
        total.pulses(begin_s + 130, begin_s + iron_s, rng.integers(18, 35), rng.integers(30, 60), home.iron_w)
    if rng.random() < 0.22 + 0.06 * many:
        from_h, to_h = max(hours, key=lambda stretch: stretch[1] - stretch[0])
        begin_s = some(from_h, max(from_h, to_h - 1))
        if home.washer_heats:
            total.use(begin_s + 240, rng.uniform(500, 1100), 1900)
        wash_s = rng.uniform(1500, 2600)
        total.pulses(begin_s, begin_s + wash_s, 9, 5, rng.uniform(160, 260))
        total.use(begin_s + wash_s + 60, rng.uniform(240, 420), rng.uniform(300, 480), inrush=1.6)
    # What people do seldom and nobody could have learned: a cake, a saw, a whole week's ironing, a party.
    if rng.random() < 0.07:
        from_h, to_h = max(hours, key=lambda stretch: stretch[1] - stretch[0])
        begin_s, long_s = some(from_h, max(from_h, to_h - 1.5)), 3600 * rng.uniform(0.6, 2.6)
        total.pulses(begin_s, begin_s + long_s, rng.integers(30, 90), rng.integers(30, 60), rng.integers(6, 20) * 100)
    # The air conditioner: on hot days off at noon, in hot evenings and nights.
    noon_c = weather.at(at(14))
    if home.cooler_w and not day.workday and noon_c > home.cooler_likes_c + 2:
        for from_h, to_h in hours:
            if from_h < 14 < to_h and rng.random() < 0.6:
                total.pulses(at(13.5), at(min(to_h, 15.5 + rng.uniform(0, 1.5))), 700, 420, home.cooler_w)
    if home.cooler_w and night_c > home.cooler_likes_c - (1.5 if day.guests else 0):
        begin_h = max(last_from_h, rng.uniform(20, 22.5))
        now_s, end_s = at(begin_h), at(24 + rng.uniform(1, 6.5))
        total.use(now_s, end_s - now_s, 45)
        share = min(0.9, 0.45 + 0.07 * (night_c - home.cooler_likes_c))
        now_s += 60
        while now_s < end_s - 60:
            run_s = min(end_s - now_s, rng.uniform(8, 16) * 60 * share / 0.6)
            total.use(now_s, run_s, home.cooler_w, inrush=2.2)
            now_s += run_s + rng.uniform(6, 11) * 60 * (1 - share) / 0.4


def _left_on(rng, home, total, start_s, stop_s):
    """Somebody forgot an iron, a heater or the pump."""
    what = rng.integers(3)
    if what == 0:
        total.pulses(start_s, stop_s, rng.integers(20, 40), rng.integers(60, 120), home.iron_w)
    elif what == 1:
        total.use(start_s, stop_s - start_s, rng.integers(4, 19) * 100)
    else:
        total.use(start_s, stop_s - start_s, home.pump_w or 750, inrush=3.0)


def _cuts(rng, home, days):
    cuts, now_s = [], 0
    while home.cuts_per_week:
        now_s += round(rng.exponential(7 * DAY_S / home.cuts_per_week)) + 3600
        stop_s = now_s + round(min(3 * 3600, 300 + rng.exponential(1800)))
        if stop_s >= days * DAY_S:
            break
        cuts.append((now_s, stop_s))
        now_s = stop_s
    return cuts


_LONGEST_H = {"fridge_creeps": 180, "fridge_stops": 36, "left_on": 5.5, "leak": 100, "stuck": 7.5, "spike": 0.5}


def script(home: str, seed: int = 0, days: int = 28) -> list[tuple[str, float]]:
    """Which fault begins on which day, for 28 days of which the first :data:`LEARN_DAYS` are healthy.

    Parameters
    ----------
    home : str
    seed : int
    days : int
        Only those that are over by then, however long they last.

    Returns
    -------
    list of (kind, day)
        In the order of time, with room between them. Days count from 0; 1.5 is noon of the second day.

    Examples
    --------
    >>> [kind for kind, _ in script("h01")]
    ['leak', 'fridge_stops', 'spike', 'stuck', 'fridge_creeps', 'left_on', 'left_on']
    """
    rng = np.random.default_rng(np.random.SeedSequence([seed, _number(home), 7]))
    kinds = list(rng.permutation([*FAULTS, "left_on"]))
    free = 20 * 24 - sum(_LONGEST_H[kind] + 16 for kind in kinds)
    gaps = rng.dirichlet(np.full(len(kinds) + 1, 2.0)) * free
    hour, plan = 24 * LEARN_DAYS + 6.0, []
    for kind, gap in zip(kinds, gaps, strict=False):
        hour += gap
        plan.append((str(kind), round(hour / 24, 3)))
        hour += _LONGEST_H[kind] + 16
    return [(kind, day) for kind, day in plan if day + _LONGEST_H[kind] / 24 < days]


def make_power(home: str, days: int = 28, faults=None, seed: int = 0, away=None, guests=None,
               hotter_c=None) -> tuple[Recording, list[tuple[float, float, str]]]:
    """The power of one home, one value for each second.

    Parameters
    ----------
    home : str
        ``"h01"``, ``"h02"``, ... Each number is a home with its own people, appliances, season and meter.
    days : int
        From midnight to midnight, at least 1.
    faults : list of (kind, day), optional
        What goes wrong, and when; kinds are :data:`FAULTS`. Default: :func:`script` (28 days). ``[]``: nothing does.
    seed : int
        The same arguments give the same samples.
    away : set of int, optional
        Days on which all travel. Default: now and then.
    guests : dict of int to int, optional
        Day -> number of guests. Default: now and then.
    hotter_c : float, optional
        Degrees on top of the weather.

    Returns
    -------
    power : Recording
        int16 [86400 * days, 1] in W at 1 Hz.
    truth : list of (start_s, stop_s, kind)
        When each fault was there. A fridge's ends when it is cold again after its repair.

    Raises
    ------
    DataError
        No such home or fault, or fewer days than the faults need.
    """
    who = _home(home)
    faults = script(home, seed) if faults is None else list(faults)
    if days < 1:
        raise DataError(f"A home's power of {days} days is too short: expected at least 1 day.")
    for kind, day in faults:
        if kind not in FAULTS:
            raise DataError(f"No fault {kind!r}: expected some of {', '.join(FAULTS)}.")
        if not 0 <= day < days:
            raise DataError(f"The fault {kind!r} begins on day {day:g}, but there are {days} days: make them more.")
    seconds = days * DAY_S
    # Each part has its own stream of random numbers: a fault more or less leaves all the rest as it was.
    streams = [np.random.default_rng(np.random.SeedSequence([seed, _number(home), part])) for part in range(10, 18)]
    life, weather_rng, people_rng, fridge_rng, freezer_rng, cut_rng, fault_rng, noise_rng = streams
    trip, visit = life.random() < 0.35, life.random() < 0.5
    trip_day, visit_day = int(life.integers(2, max(3, days - 3))), int(life.integers(2, max(3, days - 3)))
    if away is None:
        away = set(range(trip_day, trip_day + int(life.integers(1, 4)))) if trip else set()
    if guests is None:
        guests = {day: int(life.integers(1, 4)) for day in range(visit_day, visit_day + int(life.integers(1, 5)))} if visit else {}
    weather = _weather(weather_rng, who, days, hotter_c or 0.0)
    calendar = _calendar(life, who, days, away, guests)
    cuts = _cuts(cut_rng, who, days)
    total = _Sum(seconds)
    total.step(0, who.base_w)
    for day in calendar:
        _people(people_rng, who, total, day, weather)

    truth = []
    for kind, day in faults:
        start_s = round(day * DAY_S)
        stop_s = min(seconds, start_s + round(3600 * _LONGEST_H[kind] * fault_rng.uniform(0.65, 1.0)))
        truth.append((start_s, stop_s, kind))

    def room_at(time_s):
        """The kitchen, and how much its people open the door: as if it were so much warmer."""
        day = calendar[min(int(time_s // DAY_S), days - 1)]
        hour = time_s % DAY_S / 3600
        busy = any(from_h <= hour <= to_h for from_h, to_h in day.home_h())
        return weather.at(time_s) + (0.9 * (who.people + day.guests) ** 0.5 if busy else 0.0)

    fridge_faults = [event for event in truth if event[2].startswith("fridge")]
    again = _compressor(fridge_rng, total, who.fridge_w, who.fridge_tau_s, who.fridge_lift, 3.0, 6.0, room_at, cuts,
                        fridge_faults, who.fridge_defrosts)
    if who.freezer_w:
        _compressor(freezer_rng, total, who.freezer_w, who.freezer_tau_s, who.freezer_lift, -20.0, -17.0, room_at, cuts,
                    [], False)
    truth = [(event[0], again.get(event, event[1]), event[2]) for event in truth]

    for start_s, stop_s, kind in truth:
        if kind == "left_on":
            _left_on(fault_rng, who, total, start_s, stop_s)
        elif kind == "leak":
            # Damp creeps into the insulation: the current rises, in small steps.
            steps_s = np.arange(start_s, stop_s, 600)
            final_w = fault_rng.integers(30, 180)
            rise_w = np.diff(np.arange(len(steps_s) + 1) * final_w // len(steps_s))
            total.step(steps_s, rise_w)
            total.step(stop_s, -final_w)
    watts = total.total().astype(np.float64)

    # The mains' voltage wanders, and with it the power of all that only gets warm or bright.
    wander = 1 + 0.012 * np.repeat(_slow(noise_rng, days * 288), 300)
    watts *= wander * who.gain
    for start_s, stop_s in cuts:
        watts[start_s:stop_s] = 0
    watts += noise_rng.standard_normal(seconds) * (who.noise_w + 0.002 * watts)
    counts = np.rint(np.abs(watts))
    for start_s, stop_s, kind in truth:
        if kind == "stuck":
            counts[start_s:stop_s] = counts[start_s]
        elif kind == "spike":
            # A loose contact: for a second or two the meter reads anything.
            for at_s in fault_rng.integers(start_s, stop_s - 3, fault_rng.integers(2, 6)):
                counts[at_s:at_s + fault_rng.integers(1, 3)] = fault_rng.integers(2000, 15000)
    samples = np.clip(counts, 0, _LARGEST_W).astype(np.int16)
    power = Recording(samples, 1.0, ("power",), ("W",), label="power", subject=home, source="synthetic")
    return power, [(float(start_s), float(stop_s), kind) for start_s, stop_s, kind in truth]


def _slow(rng, count):
    """A slow random wandering around 0 with a standard deviation near 1: float64 [count]."""
    coarse = rng.standard_normal(count // 36 + 2)
    return np.interp(np.arange(count) / 36, np.arange(len(coarse)), coarse)


def per_minute(power: Recording) -> Recording:
    """Mean, least and most of each minute: what a board keeps of 60 samples.

    Parameters
    ----------
    power : Recording
        int16 [n, 1] in W at 1 Hz; a part of a minute at the end is left out.

    Returns
    -------
    Recording
        int16 [n // 60, 3] in W at 1/60 Hz: channels ``mean`` (rounded down), ``least``, ``most``.

    Examples
    --------
    >>> minutes = per_minute(Recording(np.arange(120, dtype=np.int16), 1.0))
    >>> minutes.samples.tolist()
    [[29, 0, 59], [89, 60, 119]]
    """
    count = len(power) // 60
    if power.rate_hz != 1.0 or power.samples.dtype != np.int16 or count < 1:
        raise DataError(f"per_minute needs at least 60 s of int16 power at 1 Hz; found {power!r}.")
    block = power.samples[:60 * count, 0].reshape(count, 60)
    minutes = np.stack([block.sum(axis=1, dtype=np.int32) // 60, block.min(axis=1), block.max(axis=1)], axis=1)
    return Recording(minutes.astype(np.int16), 1 / 60, MINUTE_CHANNELS, ("W",) * 3, label=power.label, subject=power.subject,
                     source=power.source)


def make_dataset(homes=HOMES, days: int = 15, seed: int = 0) -> tuple[Dataset, dict[str, list[tuple[float, float, str]]]]:
    """Minutes of each home, with those faults of :func:`script` that fit; with the defaults this is the shipped set.

    Returns
    -------
    minutes : Dataset
        A recording of :func:`per_minute` for each home.
    truth : dict
        Home -> list of (start_s, stop_s, kind).

    Examples
    --------
    >>> minutes, truth = make_dataset(homes=("h02",))
    >>> minutes[0].samples.shape, [kind for _, _, kind in truth["h02"]]
    ((21600, 3), ['stuck', 'leak', 'left_on'])
    """
    recordings, truth = [], {}
    for home in homes:
        power, truth[home] = make_power(home, days, script(home, seed, days), seed)
        recordings.append(per_minute(power))
    return Dataset(recordings), truth


def save_truth(truth: dict, path) -> None:
    """Write the faults of homes as CSV: home, start_s, stop_s, kind."""
    with atomic_write(path) as temporary:
        temporary.write_text("home,start_s,stop_s,kind\n" + "".join(
            f"{home},{start_s:.0f},{stop_s:.0f},{kind}\n" for home, events in truth.items() for start_s, stop_s, kind in events),
            newline="\n")


def load_truth(path=None) -> dict[str, list[tuple[float, float, str]]]:
    """The faults of the shipped homes, or of a file of :func:`save_truth`.

    Examples
    --------
    >>> sorted(load_truth()) == sorted(HOMES)
    True
    """
    path = Path(path or DATASETS / "meter" / "faults.csv")
    truth = {}
    for number, line in enumerate(path.read_text().splitlines()[1:], 2):
        parts = line.split(",")
        if len(parts) != 4 or parts[3] not in FAULTS:
            raise DataError(f"Line {number} of {path.name} is {line!r}; expected home,start_s,stop_s,kind with a kind of "
                            f"{', '.join(FAULTS)}. Make the file again: edgekit course datasets.")
        truth.setdefault(parts[0], []).append((float(parts[1]), float(parts[2]), parts[3]))
    return truth


_UCI_HEADER = "Date;Time;Global_active_power"


def load_uci_household(path, at_least_min: int = 60) -> Dataset:
    """Real power of a house in Sceaux, France, 2006 to 2010: one mean for each minute.

    "Individual household electric power consumption" by G. Hebrail and A. Berard, UCI Machine Learning Repository,
    https://doi.org/10.24432/C58K54, CC BY 4.0. Download it there (20 MB) and unpack it; the course does not ship it.
    It has no labels of faults: use it to see how often a detector alarms in a home that nobody simulated.

    Parameters
    ----------
    path : path
        ``household_power_consumption.txt``, or the folder it is in.
    at_least_min : int
        Shorter stretches between gaps are left out, in minutes.

    Returns
    -------
    Dataset
        A recording for each stretch without a gap: int16 [n, 1] in W at 1/60 Hz, channel ``mean``. About 1.25 % of the
        minutes of the set are missing.

    Raises
    ------
    DataError
        No such file, another layout, or no stretch that is long enough.
    """
    path = Path(path)
    if path.is_dir():
        path = path / "household_power_consumption.txt"
    if not path.exists():
        raise DataError(f"No file {path.name} in {path.parent.name or '.'}: download it from "
                        "https://doi.org/10.24432/C58K54 (CC BY 4.0), unpack it, and give its folder.")
    recordings, stretch, last = [], [], None

    def close():
        if len(stretch) >= at_least_min:
            recordings.append(Recording(np.array(stretch, np.int16), 1 / 60, ("mean",), ("W",), label="power",
                                        subject="sceaux", source="file"))
        stretch.clear()

    with open(path, encoding="ascii", errors="replace") as file:
        header = file.readline().strip()
        if not header.startswith(_UCI_HEADER):
            raise DataError(f"{path.name} begins with {header[:60]!r}; expected {_UCI_HEADER};... as in the set of "
                            "https://doi.org/10.24432/C58K54. Unpack the zip and give the .txt file.")
        for number, line in enumerate(file, 2):
            parts = line.strip().split(";")
            if len(parts) < 3:
                continue
            try:
                day, month, year = parts[0].split("/")
                now = np.datetime64(f"{int(year):04}-{int(month):02}-{int(day):02}T{parts[1]}")
                watts = None if parts[2] in ("?", "") else round(1000 * float(parts[2]))
            except ValueError:
                raise DataError(f"Line {number} of {path.name} is {line.strip()[:60]!r}; expected dd/mm/yyyy;hh:mm:ss;kW;... "
                                "Download the file again.") from None
            if watts is None or (last is not None and now - last != np.timedelta64(60, "s")):
                close()
            last = now
            if watts is not None:
                stretch.append(min(watts, _LARGEST_W))
    close()
    if not recordings:
        raise DataError(f"{path.name} has no stretch of {at_least_min} minutes without a gap; ask for shorter ones.")
    return Dataset(recordings)
