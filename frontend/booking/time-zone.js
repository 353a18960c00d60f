// The visitor's time zone: only the browser knows it, and only with scripts.

import { find, stage, stateOf, stepCard } from "./dom.js";
import { htmx, loadHtmx } from "./htmx.js";

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

/** Returns whether the visitor sees the times of a card. The style sheet holds them back for a few seconds at most. */
const showsTimes = (card) => {
  const time = find(card, ".kb-time");
  return !!time && getComputedStyle(time).visibility !== "hidden";
};

/** Leaves the times by the clock that they are by, and offers the visitor's own. */
export const offerOwnClock = (card) => {
  card.removeAttribute("data-kb-hold");
  const offer = find(card, "[data-kb-own-clock]");
  if (offer) offer.hidden = false;
};

/** Asks for the step once more when it was made in another zone than the visitor's. Once: the server may not know it. */
export const correctTimeZone = (widget) => {
  const state = stateOf(widget);
  const card = stepCard(widget);
  const { kbDetectZone: path, kbZone: zone, kbHold: hold } = card.dataset;
  if (state.zoneCorrected || path === undefined || !zone || zone === timeZone) {
    card.removeAttribute("data-kb-hold");
    return;
  }
  state.zoneCorrected = true;
  let isTooLate;
  if (hold !== undefined) {
    // The script came late: what the visitor has begun to read doesn't change anymore.
    if (showsTimes(card)) return offerOwnClock(card);
    card.addEventListener("animationend", ({ animationName }) => {
      if (animationName !== "kb-hold") return;
      isTooLate = true;
      htmx?.trigger(card, "htmx:abort");
      offerOwnClock(card);
    });
  }
  const url = new URL(path, location);
  url.searchParams.set("tz", timeZone);
  // KB-Seen: the same visitor looks at the same page again, so it isn't counted a second time.
  const how = { source: card, target: stage(widget), swap: "innerHTML", headers: { "KB-Seen": "zone" } };
  const ask = () => card.isConnected && !isTooLate && htmx?.ajax("GET", url.href, how);
  if (IS_FOR_HOSTS) ask();
  else loadHtmx().then(ask);
};
