// The microphone of the computer: ask for it, record a stretch, look and listen, keep or discard. The sound goes to Python
// as it came; Python brings it to 16 kHz and sends back what it has made of it, so that one hears what a network will get.

const TROUBLE = {
  insecure: "The browser gives the microphone only to pages of this computer (http://localhost or http://127.0.0.1) or with https. Open JupyterLab with such an address.",
  NotAllowedError: "The browser may not use the microphone. Allow it: click the sign beside the address of this page, then press record again. (Inside another program, such as VS Code, there may be no such sign: open JupyterLab in a browser.)",
  NotFoundError: "The browser finds no microphone. Plug one in, or take the recordings that ship with the course.",
  NotReadableError: "Another program holds the microphone, or it is switched off. Close that program, then press record again.",
  other: "The microphone did not start",
};
const WARM_UP_S = 0.2;       // a microphone that has just been opened clicks
const FLOOR_DB = -60;
// A processor of its own thread, so that a busy page loses nothing.
const TAP = `registerProcessor("edgekit-tap", class extends AudioWorkletProcessor {
  process(inputs) { if (inputs[0].length) this.port.postMessage(inputs[0][0].slice()); return true; }
});`;

class Ear {
  // onLevel(dB, seconds so far) while it records.
  constructor(onLevel) { this.onLevel = onLevel; this.pieces = []; this.count = 0; this.end = null; }

  // Ask, open, record `seconds`; resolves to { rate_hz, samples }, or rejects with what the browser says.
  async record(seconds, onStart) {
    if (!navigator.mediaDevices?.getUserMedia || !window.AudioWorkletNode) throw { name: "insecure" };
    // As the board would hear it: nothing smoothed, nothing made louder.
    const stream = await navigator.mediaDevices.getUserMedia({
      audio: { channelCount: 1, echoCancellation: false, noiseSuppression: false, autoGainControl: false } });
    const context = new AudioContext(), url = URL.createObjectURL(new Blob([TAP], { type: "text/javascript" }));
    try {
      await context.audioWorklet.addModule(url);
      const tap = new AudioWorkletNode(context, "edgekit-tap", { numberOfOutputs: 0, channelCount: 1, channelCountMode: "explicit" });
      const rate_hz = context.sampleRate, wanted = Math.round(seconds * rate_hz);
      let skip = Math.round(WARM_UP_S * rate_hz), started = false;
      await new Promise((resolve, reject) => {
        this.end = resolve;
        const nothing = setTimeout(() => reject({ name: "NotReadableError" }), 5000);
        tap.port.onmessage = ({ data }) => {
          clearTimeout(nothing);
          if (skip > 0) { skip -= data.length; return; }
          if (!started) { started = true; onStart(); }
          this.pieces.push(data);
          this.count += data.length;
          this.onLevel(decibel(data), this.count / rate_hz);
          if (this.count >= wanted) { tap.port.onmessage = null; resolve(); }
        };
        for (const track of stream.getTracks()) track.onended = resolve;       // it was pulled out
        context.createMediaStreamSource(stream).connect(tap);
      });
      const samples = new Float32Array(Math.min(this.count, wanted));
      let at = 0;
      for (const piece of this.pieces) {
        const part = piece.subarray(0, samples.length - at);
        samples.set(part, at);
        at += part.length;
      }
      return { rate_hz, samples };
    } finally {
      // The sign "the microphone is on" goes out at once.
      for (const track of stream.getTracks()) track.stop();
      URL.revokeObjectURL(url);
      context.close();
    }
  }

  stop() { this.end?.(); }
}

function decibel(samples) {
  let sum = 0;
  for (const value of samples) sum += value * value;
  return 10 * Math.log10(Math.max(sum / samples.length, 1e-12));
}

function drawWave(canvas, samples, length) {
  const scale = window.devicePixelRatio || 1, width = canvas.clientWidth, height = canvas.clientHeight;
  if (!width || !height) return;
  canvas.width = width * scale;
  canvas.height = height * scale;
  const pen = canvas.getContext("2d");
  pen.scale(scale, scale);
  const dark = document.body.dataset.jpThemeLight === "false";
  pen.fillStyle = dark ? "#8d949e" : "#bdc3ca";
  pen.fillRect(0, height / 2, width, 1);
  pen.fillStyle = dark ? "#56b4e9" : "#0072b2";
  for (let x = 0; x < width; x++) {
    const from = Math.floor(x / width * length), to = Math.min(samples.length, Math.floor((x + 1) / width * length));
    if (from >= to) break;
    let low = 1, high = -1;
    for (let i = from; i < to; i++) { low = Math.min(low, samples[i]); high = Math.max(high, samples[i]); }
    pen.fillRect(x, height / 2 * (1 - high), 1, Math.max(1, height / 2 * (high - low)));
  }
}

function render({ model, el }) {
  const about = model.get("about");
  const labels = labelChoice(about.labels, "What do you say?");
  const who = element("input", { type: "text", value: about.subject, size: 8, "aria-label": "who speaks: a code, not a name" });
  const record = element("button", { type: "button", class: "ek-record" }, "record");
  const stop = element("button", { type: "button", class: "ek-stop" }, "stop");
  const listen = element("button", { type: "button", class: "ek-listen" }, "listen");
  const keep = element("button", { type: "button", class: "ek-keep" }, "keep");
  const discard = element("button", { type: "button", class: "ek-discard" }, "discard");
  const meter = element("meter", { min: FLOOR_DB, max: 0, low: -50, high: -3, optimum: -20, value: FLOOR_DB, "aria-label": "loudness, dB of full scale" });
  const progress = element("progress", { max: 1, value: 0, "aria-label": "how much of the take is recorded" });
  const sentence = element("p", { class: "ek-sentence", role: "status", "aria-live": "polite" });
  const canvas = element("canvas", { role: "img", "aria-label": "the sound" });
  const local = ["localhost", "127.0.0.1", "[::1]"].includes(location.hostname);
  const root = element("div", { class: "ek-recorder ek-microphone", role: "region", "aria-label": "microphone" },
    element("div", { class: "ek-head" }, element("strong", {}, "Microphone of this computer"),
      element("span", { class: "ek-kept" }, `kept in ${about.folder}/`)),
    element("div", { class: "ek-columns" },
      element("div", {}, labels.root, element("div", { class: "ek-settings" }, element("label", {}, "who ", who))),
      element("div", { class: "ek-stage" }, canvas, element("label", { class: "ek-level" }, "loudness ", meter))),
    element("div", { class: "ek-buttons" }, record, stop, listen, keep, discard, progress), sentence,
    element("p", { class: "ek-simulated" }, local
      ? "The sound stays on this computer."
      : `This page comes from ${location.hostname}: what you record goes there. On your own computer it stays with you.`));
  keepKeys(root);
  el.append(root);

  let phase = null, own = "", ear = null, trouble = "", heard = new Float32Array(0), player = null, ours = false;
  const draw = () => drawWave(canvas, heard, Math.max(heard.length, about.seconds * about.rate_hz));

  // own: what this view does itself ("asking", "recording"); otherwise Python says what phase it is.
  function show() {
    const state = model.get("state"), now = own || state.phase;
    labels.show(state.counts);
    sentence.textContent = own === "asking" ? "The browser asks whether it may use the microphone …"
      : own === "recording" ? `Speak now: ${labels.chosen().replaceAll("_", " ")}` : own === "sending" ? "Python takes it …" : trouble || state.sentence;
    if (now === phase) return;
    // A button that is switched off loses the focus to the page: then it is still ours.
    const had = root.contains(document.activeElement) || ours && document.activeElement === document.body, first = phase === null;
    phase = root.dataset.phase = now;
    record.disabled = phase !== "ready";
    stop.disabled = phase !== "recording";
    listen.disabled = keep.disabled = discard.disabled = phase !== "decide";
    labels.enable(phase === "ready");
    // The hand that works from the keyboard finds the next button under it.
    const next = { recording: stop, decide: keep, ready: record }[phase];
    ours = had;
    if (had && !first) next?.focus();
  }

  async function take() {
    trouble = "";
    own = "asking";
    show();
    ear = new Ear((level_db, done_s) => { meter.value = Math.max(FLOOR_DB, level_db); progress.value = done_s / about.seconds; });
    try {
      const { rate_hz, samples } = await ear.record(about.seconds, () => { own = "recording"; show(); });
      model.send({ act: "take", label: labels.chosen(), subject: who.value, rate_hz }, undefined, [samples.buffer]);
      own = "sending";
    } catch (error) {
      trouble = TROUBLE[error.name] ?? `${TROUBLE.other}: ${error.message ?? error.name}.`;
      own = "";
    }
    ear = null;
    meter.value = FLOOR_DB;
    progress.value = 0;
    show();
  }

  record.addEventListener("click", take);
  stop.addEventListener("click", () => ear?.stop());
  listen.addEventListener("click", () => {
    if (!heard.length) return;
    player ??= new AudioContext();
    const buffer = player.createBuffer(1, heard.length, about.rate_hz), source = player.createBufferSource();
    buffer.copyToChannel(heard, 0);
    source.buffer = buffer;
    source.connect(player.destination);
    source.start();
  });
  keep.addEventListener("click", () => model.send({ act: "keep" }));
  discard.addEventListener("click", () => model.send({ act: "discard" }));

  const hear = (message, buffers) => {
    if (message.seen || !buffers?.length) return;
    const bytes = buffers[0];
    heard = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
    requestAnimationFrame(draw);
  };
  const changed = () => { if (own === "sending") own = ""; show(); };
  const size = new ResizeObserver(draw), theme = new MutationObserver(draw);
  size.observe(canvas);
  theme.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light"] });
  model.on("msg:custom", hear);
  model.on("change:state", changed);
  show();
  const leave = announce(model);
  return () => {
    ear?.stop();
    player?.close();
    size.disconnect(); theme.disconnect();
    model.off("msg:custom", hear);
    model.off("change:state", changed);
    leave();
    root.remove();
  };
}

export default { render };
