// What all widgets share: elements, and telling Python that somebody looks.

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

// Say that a view is open until Python answers; the first message may wait behind the cells that are about to run.
// Returns what is to be called when the view closes.
function announce(model) {
  const view = crypto.randomUUID ? crypto.randomUUID() : String(Math.random());
  let tries = 0, timer = null;
  const say = () => {
    model.send({ act: "shown", view });
    if (++tries < 40) timer = setTimeout(say, 150 * Math.min(tries, 20));
  };
  const hear = (message) => { if (message.seen === view) clearTimeout(timer); };
  const hide = () => { clearTimeout(timer); model.send({ act: "hidden", view }); };
  model.on("msg:custom", hear);
  window.addEventListener("pagehide", hide);
  say();
  return () => {
    window.removeEventListener("pagehide", hide);
    model.off("msg:custom", hear);
    hide();
  };
}

// JupyterLab takes no key for its own that is pressed in here: neither a shortcut such as Enter, nor the arrow keys, with
// which it would move to the next cell. Ctrl+S and the like stay its own.
function keepKeys(root) {
  root.setAttribute("data-lm-suppress-shortcuts", "true");
  root.addEventListener("keydown", (event) => {
    if (!event.ctrlKey && !event.metaKey && !event.altKey) event.stopPropagation();
  });
}
