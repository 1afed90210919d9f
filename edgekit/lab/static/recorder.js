// The recorder: choose a label, record, look at the take, keep or discard it. Python does the work and says what phase
// it is.

function render({ model, el }) {
  const about = model.get("about");
  const labels = labelChoice(about.labels, "What do you record?");
  const who = element("input", { type: "text", value: about.subject, size: 8, "aria-label": "who moves: a code, not a name" });
  const gesture = element("select", { "aria-label": "gesture that the simulated board feels" },
    element("option", { value: "" }, "as the label"),
    ...about.gestures.map((name) => element("option", { value: name }, name.replaceAll("_", " "))));
  const settings = element("div", { class: "ek-settings" }, element("label", {}, "who ", who));
  if (about.simulated) {
    settings.append(element("label", {}, "simulated movement ", gesture));
  }

  const record = element("button", { type: "button", class: "ek-record" }, "record");
  const stop = element("button", { type: "button", class: "ek-stop" }, "stop");
  const keep = element("button", { type: "button", class: "ek-keep" }, "keep");
  const discard = element("button", { type: "button", class: "ek-discard" }, "discard");
  const progress = element("progress", { max: 1, value: 0, "aria-label": "how much of the take is recorded" });
  const sentence = element("p", { class: "ek-sentence", role: "status", "aria-live": "polite" });
  const number = element("div", { class: "ek-number", "aria-live": "assertive" });
  const canvas = element("canvas", { role: "img", "aria-label": "the movement: acceleration and rotation" });
  const root = element("div", { class: "ek-recorder", role: "region",
                                "aria-label": "recorder" },
    element("div", { class: "ek-head" }, element("strong", {}, `Recorder: ${about.board}`),
      element("span", { class: "ek-kept" }, `kept in ${about.folder}/`)),
    element("div", { class: "ek-columns" },
      element("div", {}, labels.root, settings),
      element("div", { class: "ek-stage" }, canvas, number)),
    element("div", { class: "ek-buttons" }, record, stop, keep, discard, progress), sentence);
  keepKeys(root);
  el.append(root);
  if (about.simulated) {
    root.append(element("p", { class: "ek-simulated" },
      "Simulated board: a virtual person moves the sensor. Takes are marked as simulated."));
  }

  const plot = new Plot(canvas, about);
  plot.ask();
  let phase = null;
  function show() {
    const state = model.get("state");
    labels.show(state.counts);
    progress.value = state.progress;
    number.textContent = state.phase === "countdown" ? String(state.left_s) : "";
    sentence.textContent = state.phase === "countdown" ? `Get ready: ${state.label.replaceAll("_", " ")} in ${state.left_s} …`
      : state.phase === "recording" ? `Recording: ${state.label.replaceAll("_", " ")} …` : state.sentence;
    if (state.phase === phase) return;
    const had = root.contains(document.activeElement), first = phase === null;
    phase = state.phase;
    root.dataset.phase = phase;
    const busy = phase === "countdown" || phase === "recording";
    record.disabled = phase !== "ready";
    stop.disabled = !busy;
    keep.disabled = discard.disabled = phase !== "decide";
    labels.enable(phase === "ready");
    // The hand that works from the keyboard finds the next button under it.
    if (had && !first) (busy ? stop : phase === "decide" ? keep : record).focus();
  }

  const say = (message) => model.send(message);
  record.addEventListener("click", () => say({ act: "record", gesture: gesture.value, subject: who.value,
    label: labels.chosen() }));
  stop.addEventListener("click", () => say({ act: "stop" }));
  keep.addEventListener("click", () => say({ act: "keep" }));
  discard.addEventListener("click", () => say({ act: "discard" }));

  const hear = (message, buffers) => {
    if (message.seen) return;
    if (message.clear) { plot.clear(); plot.ask(); return; }
    const bytes = buffers[0];
    plot.push(message.first, new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength)));
  };
  const again = () => plot.ask();
  const size = new ResizeObserver(again), theme = new MutationObserver(again);
  size.observe(canvas);
  theme.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light"] });
  model.on("msg:custom", hear);
  model.on("change:state", show);
  show();
  const leave = announce(model);
  return () => {
    size.disconnect(); theme.disconnect();
    model.off("msg:custom", hear);
    model.off("change:state", show);
    leave();
    root.remove();
  };
}

export default { render };
