// A plot of samples that keep coming: a ring buffer for each channel, drawn on a canvas when the browser draws anyway.
// Shared by the live plot and the recorder.

// Okabe and Ito's colours; on dark ground the lighter ones. Dashes tell the lines apart without colour.
const LINES = {
  light: ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000"],
  dark: ["#56b4e9", "#e69f00", "#2fd3a2", "#cc79a7", "#f0e442", "#d55e00", "#ffffff"],
};
const DASHES = [[], [8, 3], [2, 3], [10, 3, 2, 3], [4, 2], [1, 2], []];
const UNITS = { g: "acceleration (g)", dps: "rotation (°/s)", V: "voltage (V)", degC: "temperature (°C)" };

class Plot {
  // channels, units: arrays of text; length: samples that are seen; rate_hz: for the axis, 0 if unknown.
  constructor(canvas, { channels, units, rate_hz, length }) {
    Object.assign(this, { canvas, channels, rate_hz, length });
    this.rings = channels.map(() => new Float32Array(length));
    this.clear();
    // One picture for each unit, so that g and °/s do not share an axis.
    this.groups = [...new Set(units)].map((unit) => ({
      unit, members: channels.map((_, i) => i).filter((i) => units[i] === unit), low: Infinity, high: -Infinity }));
    this.waiting = false;
    this.onDrawn = null;
  }

  clear() {
    this.count = 0;            // samples that have come
    this.gaps = 0;             // samples that never came
    for (const ring of this.rings) ring.fill(NaN);
    for (const group of this.groups ?? []) { group.low = Infinity; group.high = -Infinity; }
  }

  // Rows of samples from number `first` on, row by row.
  push(first, rows) {
    const width = this.channels.length, many = rows.length / width;
    if (first > this.count) {
      this.gaps += first - this.count;
      for (let i = this.count; i < first; i++) for (const ring of this.rings) ring[i % this.length] = NaN;
    }
    for (let row = 0; row < many; row++) {
      const at = (first + row) % this.length;
      for (let i = 0; i < width; i++) this.rings[i][at] = rows[row * width + i];
    }
    this.count = first + many;
    this.ask();
  }

  ask() {
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => {
      this.waiting = false;
      this.draw();
      this.onDrawn?.();
    });
  }

  draw() {
    const { canvas } = this, scale = window.devicePixelRatio || 1;
    const width = canvas.clientWidth, height = canvas.clientHeight;
    if (!width || !height) return;
    if (canvas.width !== Math.round(width * scale) || canvas.height !== Math.round(height * scale)) {
      canvas.width = Math.round(width * scale);
      canvas.height = Math.round(height * scale);
    }
    const page = getComputedStyle(canvas);
    const ink = page.getPropertyValue("--jp-ui-font-color1").trim() || "#3c4148";
    const faint = page.getPropertyValue("--jp-border-color2").trim() || "#d7dbe0";
    const dark = document.body.dataset.jpThemeLight === "false";
    const pen = canvas.getContext("2d");
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    pen.clearRect(0, 0, width, height);
    pen.font = `12px ${page.fontFamily}`;
    const foot = 20, each = (height - foot) / this.groups.length;
    const left = 52, right = width - 10;
    this.groups.forEach((group, number) => {
      const top = number * each + 22, bottom = (number + 1) * each - 8;
      const [low, high] = this.range(group);
      const y = (value) => bottom - (value - low) / (high - low) * (bottom - top);
      // Axis and its lines.
      pen.lineWidth = 1; pen.setLineDash([]);
      pen.fillStyle = ink; pen.textAlign = "right"; pen.textBaseline = "middle";
      const step = nice((high - low) / 4);
      for (let value = Math.ceil(low / step) * step; value <= high + step / 1e6; value += step) {
        pen.strokeStyle = faint;
        pen.beginPath(); pen.moveTo(left, y(value)); pen.lineTo(right, y(value)); pen.stroke();
        pen.fillText(String(+value.toPrecision(6)), left - 6, y(value));
      }
      pen.textAlign = "left"; pen.textBaseline = "alphabetic";
      pen.fillText(UNITS[group.unit] ?? group.unit, 4, top - 9);
      // Names with a piece of their line.
      let x = right;
      for (const [order, i] of [...group.members.entries()].reverse()) {
        const name = this.channels[i];
        x -= pen.measureText(name).width;
        pen.fillStyle = ink; pen.fillText(name, x, top - 9);
        x -= 28;
        this.line(pen, order, dark);
        pen.beginPath(); pen.moveTo(x, top - 13); pen.lineTo(x + 23, top - 13); pen.stroke();
        x -= 12;
      }
      // The samples.
      pen.save();
      pen.beginPath(); pen.rect(left, top - 3, right - left, bottom - top + 6); pen.clip();
      const begin = Math.max(0, this.count - this.length);
      for (const [order, i] of group.members.entries()) {
        const ring = this.rings[i];
        this.line(pen, order, dark);
        pen.beginPath();
        let down = false;
        for (let n = begin; n < this.count; n++) {
          const value = ring[n % this.length];
          if (Number.isNaN(value)) { down = false; continue; }
          const px = left + (n - this.count + this.length) / (this.length - 1) * (right - left);
          if (down) pen.lineTo(px, y(value)); else { pen.moveTo(px, y(value)); down = true; }
        }
        pen.stroke();
      }
      pen.restore();
    });
    // Time below.
    pen.fillStyle = ink; pen.setLineDash([]);
    const seconds = this.rate_hz ? this.length / this.rate_hz : 0;
    const words = seconds ? (ago) => (ago ? `−${+ago.toFixed(1)} s` : "now") : (ago) => (ago ? `−${ago}` : "now");
    const whole = seconds || this.length, tick = nice(whole / 5);
    for (let ago = 0; ago <= whole + tick / 1e6; ago += tick) {
      const px = right - ago / whole * (right - left);
      pen.textAlign = ago === 0 ? "right" : px < left + 20 ? "left" : "center";
      pen.fillText(words(ago), px, height - 5);
    }
  }

  line(pen, order, dark) {
    const colours = LINES[dark ? "dark" : "light"];
    pen.strokeStyle = colours[order % colours.length];
    pen.setLineDash(DASHES[order % DASHES.length]);
    pen.lineWidth = 1.7;
    pen.lineJoin = "round";
  }

  // What the axis spans: grows at once, shrinks slowly, so that it does not jump about.
  range(group) {
    let low = Infinity, high = -Infinity;
    for (const i of group.members) {
      for (const value of this.rings[i]) {
        if (value < low) low = value;
        if (value > high) high = value;
      }
    }
    if (low > high) { low = -1; high = 1; }
    const room = Math.max((high - low) * 0.08, Math.abs(high) * 1e-3, 0.05);
    low -= room; high += room;
    group.low = low < group.low ? low : group.low + (low - group.low) * 0.05;
    group.high = high > group.high ? high : group.high + (high - group.high) * 0.05;
    return [group.low, group.high];
  }
}

// 1, 2 or 5 times a power of ten, not smaller.
function nice(step) {
  const power = 10 ** Math.floor(Math.log10(step));
  return power * [1, 2, 5, 10].find((one) => one * power >= step * 0.999);
}
