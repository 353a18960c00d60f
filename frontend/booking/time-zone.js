// The visitor's time zone: only the browser knows it, and only with scripts.

import { find, stage, stateOf, stepCard } from "./dom.js";

export const { timeZone } = Intl.DateTimeFormat().resolvedOptions();

/** Returns whether this page was made without knowing the visitor's zone, and neither does the link say one. */
const lacksTimeZone = (widget, path) => find(widget, "[data-kb-detect-zone]") && !path.includes("tz=");

/** Adds the zone to the parameters of a GET that htmx is about to send. */
export const addTimeZone = (widget, path, parameters) => {
  if (lacksTimeZone(widget, path)) parameters.tz ??= timeZone;
};

/** Returns the address that htmx will ask for when a link is clicked, to the letter: the HTTP cache compares it so. */
export const addressOf = (widget, path) =>
  lacksTimeZone(widget, path) ? `${path}${path.includes("?") ? "&" : "?"}tz=${encodeURIComponent(timeZone)}` : path;

/** Asks for the step once more when it was made in another zone than the visitor's. Once: the server may not know it. */
export const correctTimeZone = (widget) => {
  const state = stateOf(widget);
  const card = stepCard(widget);
  if (state.zoneCorrected || !card.matches(`[data-kb-detect-zone][data-kb-zone]:not([data-kb-zone="${timeZone}"])`)) return;
  state.zoneCorrected = true;
  const url = new URL(card.dataset.kbDetectZone, location);
  url.searchParams.set("tz", timeZone);
  // KB-Seen: the same visitor looks at the same page again, so it isn't counted a second time.
  htmx.ajax("GET", url.href, { source: card, target: stage(widget), swap: "innerHTML", headers: { "KB-Seen": "zone" } });
};
