// The color of a widget that was made on a page of the host's while the business's wasn't known, such as a lazy one.

import { nonce } from "./page.js";

/** Takes the class and the style sheet that the first answer names. */
export const takeLook = (widget, look) => {
  if (!look || !("kbColorless" in widget.dataset)) return;
  const [name, href] = look.split(" ");
  document.head.append(Object.assign(document.createElement("link"), { rel: "stylesheet", href, nonce }));
  widget.classList.add(name);
  widget.removeAttribute("data-kb-colorless");
};
