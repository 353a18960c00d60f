// The browser's history: Back and Forward lead through the steps without loading the page anew, which keeps what was typed.
//
// On a page of our own, also in a frame or in the site's template, each step has its URL. Inside a page of the host's the
// URL stays the host's, and the entry's state says the widget's address. An address that opens something personal, such
// as a confirmation's, stays in the memory of this page: the state has a number for it, which nobody else can use.

import { findAll, ownsPage, stage, stateOf, stepCard } from "./dom.js";
import { htmx, loadHtmx } from "./htmx.js";
import { timeZone } from "./time-zone.js";

// In the history's state, which belongs to the host's page: a router of its own may use any short key.
const STATE_KEY = "kordlessBooking";

const privateAddresses = {};

const pageAddress = () => location.pathname + location.search;

const entryOf = (widget) => history.state?.[STATE_KEY]?.[stage(widget).id];

// A text, a list or a Date of the host's can't hold ours as well: the widget then leaves the history alone.
const isExtensible = (state) => state === null || Object.getPrototypeOf(state) === Object.prototype;

const writeEntry = (widget, method, entry) =>
  // The rest of the state belongs to the host, and the other entries to other widgets on its page.
  history[method](
    { ...history.state, [STATE_KEY]: { ...history.state?.[STATE_KEY], [stage(widget).id]: entry } },
    "",
  );

/** Notes the address of the step that is shown. `method` is that of the history; without it nothing has moved. */
export const recordStep = (widget, method, responseAddress) => {
  if (IS_FOR_HOSTS && !ownsPage(widget)) recordEntry(widget, method, responseAddress);
  else stateOf(widget).address = pageAddress();
};

const recordEntry = (widget, method, responseAddress) => {
  const state = stateOf(widget);
  const before = state.entry;
  const { kbAddress } = stepCard(widget).dataset;
  state.address = kbAddress || responseAddress;
  state.entry = kbAddress || Math.random();
  privateAddresses[state.entry] = state.address;
  if (!method || !("kbHistory" in widget.dataset) || !isExtensible(history.state)) return;
  if (!entryOf(widget)) writeEntry(widget, "replaceState", before);
  writeEntry(widget, method, state.entry);
};

/** Shows the step at an address. `source` is what htmx takes for the trigger: the stage, or the card if nobody asked. */
export const showAddress = (widget, address, source = stage(widget)) => {
  const state = stateOf(widget);
  state.address = address;
  // What was on its way would take this step's place.
  for (const element of [stage(widget), stepCard(widget)]) htmx?.trigger(element, "htmx:abort");
  const values = state.zoneCorrected && !address.includes("tz=") ? { tz: timeZone } : {};
  const replace = !IS_FOR_HOSTS || ownsPage(widget) ? "true" : "false"; // a redirect's URL, as browsers do
  // The first isn't counted as another view. With the second, browsers don't answer from what was fetched ahead.
  const headers = { "KB-Seen": "back", "If-None-Match": "-" };
  const how = { source, target: stage(widget), swap: "innerHTML show:none", values, replace, headers };
  const ask = () => htmx.ajax("GET", address, how).catch(() => {}); // `showProblem` says it
  if (IS_FOR_HOSTS || htmx) ask();
  else loadHtmx().then(() => (htmx ? ask() : location.reload()));
};

const showEntry = (widget, entry, source) => {
  const address = !IS_FOR_HOSTS || ownsPage(widget) ? entry : privateAddresses[entry] || entry;
  // A number of before a reload says nothing anymore.
  if (typeof address !== "string" || address === stateOf(widget).address) return false;
  showAddress(widget, address, source);
  return true;
};

const onPopState = (event) => {
  for (const widget of findAll(document, ".kb")) {
    const entry = !IS_FOR_HOSTS || ownsPage(widget) ? pageAddress() : entryOf(widget);
    if (!entry) continue;
    // htmx would load the whole page again.
    if (event.state?.htmx) event.stopImmediatePropagation();
    showEntry(widget, entry);
  }
};

/** Shows the step that a page of the host's had when it was left or reloaded, and returns whether there was one. */
export const restoreStep = (widget) => !ownsPage(widget) && showEntry(widget, entryOf(widget), stepCard(widget));

// Before htmx's own listener.
export const listenToHistory = () => addEventListener("popstate", onPopState, true);
