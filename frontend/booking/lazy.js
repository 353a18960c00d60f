// A widget of the host's that loads on sight: its first card is a link, which works without the script.

import { find, stage, stepCard } from "./dom.js";
import { htmx } from "./htmx.js";

/** Loads what the link of the first card leads to, once the widget comes near the window. */
export const loadOnSight = (widget) => {
  if (!find(widget, "[data-kb-lazy]")) return;
  // As far as Chromium's own lazy frames, and embed/frame.js.
  const observer = new IntersectionObserver((entries) => {
    if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
    observer.disconnect();
    const link = find(widget, "[data-kb-lazy]"); // unless the visitor was quicker
    // By the card, as all that nobody has asked for: nothing is said, and nobody loses the focus.
    if (link) htmx.ajax("GET", link.dataset.hxGet, { source: stepCard(widget), target: stage(widget), swap: "innerHTML show:none" }).catch(() => {});
  }, { rootMargin: "1250px" });
  observer.observe(widget);
};
