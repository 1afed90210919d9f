// The live plot: samples come as bytes, are drawn, and now and then Python hears how well that went.

function render({ model, el }) {
  const root = document.createElement("div");
  root.className = "ek-live-plot";
  const about = model.get("about");
  root.innerHTML = '<div class="ek-bar"><strong></strong><span class="ek-numbers"></span>' +
                   '<button type="button" aria-pressed="false">pause</button></div><canvas role="img"></canvas>';
  const [title, numbers, pause] = root.querySelector(".ek-bar").children;
  const canvas = root.querySelector("canvas");
  title.textContent = about.title;
  canvas.setAttribute("aria-label", `${about.title}: the last ${about.seconds ? about.seconds + " seconds" : "samples"} of `
                      + about.channels.join(", "));
  canvas.style.height = `${new Set(about.units).size * 150 + 20}px`;
  keepKeys(root);
  el.append(root);

  const plot = new Plot(canvas, about);
  let paused = false, kept = [], oldest = 0;
  let drawn = 0, messages = 0, worst = 0, sum = 0, last = 0, slow = 0;
  let report = null;
  function tell() {
    report = null;
    numbers.textContent = about.channels.map((name, i) => {
      const value = plot.rings[i][(plot.count - 1 + plot.length) % plot.length];
      return `${name} ${Number.isNaN(value) ? "–" : value.toFixed(2)}`;
    }).join("   ");
    model.send({ act: "drawn", count: plot.count, gaps: plot.gaps, frames: drawn, messages, slow,
                 worst_ms: worst, mean_ms: drawn ? sum / drawn : 0 });
  }
  plot.onDrawn = () => {
    const now = performance.now();
    if (oldest) {
      const late = Date.now() - oldest;
      oldest = 0;
      drawn += 1; sum += late; worst = Math.max(worst, late);
      if (last && now - last > 250) slow += 1;
      last = now;
    }
    if (!report) report = setTimeout(tell, 400);
  };

  function take({ first, added_ms, whole }, bytes) {
    if (whole) { plot.clear(); plot.count = first; }
    oldest = oldest || (whole ? 0 : added_ms);
    plot.push(first, bytes);
  }
  const hear = (message, buffers) => {
    if (message.clear) { kept = []; plot.clear(); plot.ask(); return; }
    if (message.first === undefined) return;
    messages += 1;
    const view = buffers[0];
    const rows = new Float32Array(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));
    if (paused) kept.push([message, rows]); else take(message, rows);
    if (kept.length > 3000) kept.shift();
  };
  pause.addEventListener("click", () => {
    paused = !paused;
    pause.setAttribute("aria-pressed", paused);
    pause.textContent = paused ? "go on" : "pause";
    if (!paused) {
      for (const [message, rows] of kept) take({ ...message, added_ms: 0 }, rows);
      kept = [];
    }
  });
  const again = () => plot.ask();
  const size = new ResizeObserver(again);
  const theme = new MutationObserver(again);
  size.observe(canvas);
  theme.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light"] });
  model.on("msg:custom", hear);
  const leave = announce(model);
  return () => {
    clearTimeout(report);
    size.disconnect(); theme.disconnect();
    model.off("msg:custom", hear);
    leave();
    root.remove();
  };
}

export default { render };
