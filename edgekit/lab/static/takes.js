// What the recorders share: the labels to choose from, and how many takes of each are kept.

function labelChoice(labels, legend) {
  const group = `ek-label-${Math.random()}`;
  const root = element("fieldset", { class: "ek-labels" }, element("legend", {}, legend));
  const counts = {};
  labels.forEach((label, i) => {
    const choice = element("input", { type: "radio", name: group, value: label });
    choice.checked = i === 0;
    const bar = element("span", { class: "ek-bar-of" }), count = element("span", { class: "ek-count" }, "0");
    counts[label] = { bar, count };
    root.append(element("label", { class: "ek-label" }, choice, element("span", { class: "ek-word" }, label.replaceAll("_", " ")),
                element("span", { class: "ek-bar-ground" }, bar), count));
  });
  return {
    root,
    chosen: () => root.querySelector("input:checked").value,
    enable(on) { for (const input of root.querySelectorAll("input")) input.disabled = !on; },
    show(kept) {
      const most = Math.max(5, ...Object.values(kept));
      for (const [label, one] of Object.entries(counts)) {
        one.count.textContent = kept[label] ?? 0;
        one.bar.style.width = `${100 * (kept[label] ?? 0) / most}%`;
      }
    },
  };
}
