// The board panel. Python draws the picture and says how it looks now; here it is put on the page, and what a hand
// does is told to Python.

const TILT_RADIUS = 42;      // as in scene.py

function fixed(value, step) {
  return Number(value).toFixed(step < 0.1 ? 2 : step < 1 ? 1 : 0);
}

function render({ model, el }) {
  const say = (message) => model.send(message);
  const done = [];
  const listen = (target, type, act, options) => {
    target.addEventListener(type, act, options);
    done.push(() => target.removeEventListener(type, act, options));
  };
  const watch = (name, act) => {
    model.on(name, act);
    done.push(() => model.off(name, act));
  };

  const root = element("div", { class: "ek-panel", role: "region",
                                "aria-label": model.get("about").name });
  keepKeys(root);
  el.append(root);
  if (!model.get("about").simulated) {
    root.append(element("p", { class: "ek-sentence" }, model.get("about").sentence));
    return () => root.remove();
  }

  const clock = element("span", { class: "ek-clock" });
  const picture = element("div", { class: "ek-picture" });
  const live = element("p", { class: "ek-live", role: "status" });
  const controls = element("div", { class: "ek-controls" });
  root.append(element("div", { class: "ek-head" }, element("strong", {}, model.get("about").name), clock), picture,
              controls, live);

  // --- what Python says ---
  let named = {}, dragging = false, holding = false, down = false, angles = { x: 0, y: 0 };

  function draw() {
    picture.innerHTML = model.get("svg");
    named = {};
    for (const one of picture.querySelectorAll("[data-id]")) (named[one.dataset.id] ??= []).push(one);
    wire();
    look();
  }

  function look() {
    const all = model.get("look");
    for (const [id, attributes] of Object.entries(all)) {
      if (dragging && id === "tilt.ball") continue;
      for (const one of named[id] ?? []) {
        for (const [name, value] of Object.entries(attributes)) {
          if (name === "text") { if (one.textContent !== value) one.textContent = value; }
          else if (one.getAttribute(name) !== value) one.setAttribute(name, value);
        }
      }
    }
    const now = all["/"] ?? {};
    clock.textContent = now.clock === "real" ? "real clock: a second is a second, while you see this"
                                             : "virtual clock: sleep takes no time";
    for (const [name, one] of Object.entries(sliders)) {
      if (document.activeElement !== one.input || !one.touched) one.show(now.sliders?.[name] ?? 0);
    }
    playing.textContent = now.playing?.length ? "playing: " + now.playing.join(", ").replaceAll("_", " ") : "nothing plays";
    root.dataset.led = now.led;
    root.dataset.clock = now.clock;
  }

  // --- the button and the tilt in the picture ---
  function press() { if (!down) { down = true; say({ act: "press" }); } }
  function release() { if (down && !holding) { down = false; say({ act: "release" }); } }

  function tiltTo(x_deg, y_deg) {
    angles = { x: x_deg, y: y_deg };
    say({ act: "tilt", x_deg, y_deg });
  }

  function wire() {
    const button = picture.querySelector("[data-act=button]");
    button?.addEventListener("pointerdown", (event) => { button.focus(); press(); event.preventDefault(); });
    button?.addEventListener("keydown", (event) => {
      if (event.key !== " " && event.key !== "Enter") return;
      event.preventDefault();
      if (!event.repeat) press();
    });
    button?.addEventListener("keyup", (event) => {
      if (event.key === " " || event.key === "Enter") { release(); }
    });
    button?.addEventListener("blur", release);

    const plate = picture.querySelector("[data-act=tilt]");
    const ball = picture.querySelector("[data-id='tilt.ball']");
    const toBall = (event) => {
      const inverse = plate.getScreenCTM().inverse();
      let at = new DOMPoint(event.clientX, event.clientY).matrixTransform(inverse);
      let x = at.x / TILT_RADIUS, y = at.y / TILT_RADIUS;
      const size = Math.hypot(x, y);
      if (size > 1) { x /= size; y /= size; }
      ball.setAttribute("transform", `translate(${x * TILT_RADIUS} ${y * TILT_RADIUS})`);
      // The ball rolls to the low side: gravity as the sensor feels it is (-x, y, what is left of 1 g).
      const z = Math.sqrt(Math.max(0, 1 - x * x - y * y));
      tiltTo(Math.atan2(y, z) * 180 / Math.PI, Math.asin(Math.max(-1, Math.min(1, x))) * 180 / Math.PI);
    };
    let last = 0, waiting = null;
    plate?.addEventListener("pointerdown", (event) => {
      dragging = true; plate.setPointerCapture(event.pointerId); plate.focus(); toBall(event); event.preventDefault();
    });
    plate?.addEventListener("pointermove", (event) => {
      if (!dragging) return;
      clearTimeout(waiting);
      const wait = Math.max(0, last + 40 - performance.now());
      waiting = setTimeout(() => { last = performance.now(); toBall(event); }, wait);
    });
    for (const type of ["pointerup", "pointercancel"]) {
      plate?.addEventListener(type, (event) => {
        if (!dragging) return;
        clearTimeout(waiting);
        if (type === "pointerup") toBall(event);
        dragging = false;
      });
    }
    plate?.addEventListener("keydown", (event) => {
      const step = event.shiftKey ? 1 : 5;
      const move = { ArrowUp: [-step, 0], ArrowDown: [step, 0], ArrowLeft: [0, -step], ArrowRight: [0, step] }[event.key];
      if (!move && event.key !== "Home") return;
      event.preventDefault();
      const within = (deg) => Math.max(-90, Math.min(90, deg));
      if (move) tiltTo(within(angles.x + move[0]), within(angles.y + move[1]));
      else tiltTo(0, 0);
    });
  }
  // A hand may leave the button before it lets go.
  for (const type of ["pointerup", "pointercancel"]) listen(window, type, () => release());

  // --- the controls below ---
  const sliders = {};
  const given = model.get("controls");
  const hold = element("input", { type: "checkbox", "aria-label": `hold ${given.button} down` });
  hold.addEventListener("change", () => {
    holding = hold.checked;
    if (holding) press(); else release();
  });

  const felt = element("fieldset", { class: "ek-felt" }, element("legend", {}, "What the sensors feel"));
  for (const { name, label, unit, min, max, step } of given.sliders) {
    const output = element("output", {});
    const input = element("input", { type: "range", min, max, step, "aria-label": unit ? `${label} in ${unit}` : label,
                                     "data-slider": name });
    const one = { input, touched: false, show(value) {
      input.value = value;
      output.textContent = `${fixed(value, step)} ${unit}`.trim();
      input.setAttribute("aria-valuetext", output.textContent);
    } };
    let last = 0, waiting = null;
    input.addEventListener("input", () => {
      one.touched = true;
      one.show(input.value);
      clearTimeout(waiting);
      waiting = setTimeout(() => {
        last = performance.now();
        say({ act: "slide", name, value: Number(input.value) });
      }, Math.max(0, last + 40 - performance.now()));
    });
    input.addEventListener("blur", () => { one.touched = false; });
    sliders[name] = one;
    felt.append(element("label", { class: "ek-slider" }, element("span", {}, label), input, output));
  }

  const playing = element("span", { class: "ek-playing", "aria-live": "polite" });
  const play = element("fieldset", { class: "ek-play" }, element("legend", {}, "Let something happen"));
  for (const [title, names] of [["gesture", given.gestures], ["sound", given.sounds]]) {
    if (!names.length) continue;
    const choice = element("select", { "aria-label": `${title} to play` },
      ...names.map((name) => element("option", { value: name }, name.replaceAll("_", " "))));
    play.append(element("div", { class: "ek-row" }, element("span", {}, title), choice,
      element("button", { type: "button", class: "ek-go", "aria-label": `play this ${title}`, "data-play": title,
                          onclick: () => say({ act: "play", name: choice.value }) }, "play")));
  }
  if (given.gestures.length || given.sounds.length) {
    play.append(element("div", { class: "ek-row" }, playing,
      element("button", { type: "button", "aria-label": "stop what plays", onclick: () => say({ act: "stop" }) }, "stop")));
  }
  play.append(element("label", { class: "ek-row ek-hold" }, hold, `hold ${given.button} down`));
  controls.append(felt, play);

  const hear = (message) => { if (message.sentence) live.textContent = message.sentence; };
  watch("change:svg", draw);
  watch("change:look", look);
  watch("msg:custom", hear);
  draw();

  const leave = announce(model);
  return () => {
    for (const one of done) one();
    release();
    leave();
    root.remove();
  };
}

export default { render };
