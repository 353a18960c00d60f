// The script of all the widget's pages: it makes links and forms, which work without it, smooth.
//
// It is built twice: `IS_FOR_HOSTS` is true where the widget stands inside a page of a site, which may have an htmx, a
// history and a color of its own, and false on the pages of the widget itself, which come without all of that.

import { onCalendarKey } from "./calendar-keys.js";
import { receiveHostDetails } from "./contact-form.js";
import { onCopyClick } from "./copy-number.js";
import { body, find, findAll } from "./dom.js";
import { listenToHistory, recordStep, restoreStep } from "./history.js";
import { connectToHost, guessHost, postToHost, reportHeight } from "./host-page.js";
import { htmx, loadHtmx, processWidget, whenHtmxIsThere } from "./htmx.js";
import { formBringsStyles, loadLaterStyles } from "./later-styles.js";
import { loadOnSight } from "./lazy.js";
import { onEnterKey } from "./next-field.js";
import { htmxIsOurs } from "./page.js";
import { prefetchOnPointer, reportOnLeave } from "./prefetch.js";
import { listenToHtmx } from "./requests.js";
import { initStep } from "./step.js";

const onClick = (event) => {
  // For a new tab or window. htmx would open it here as well, so the click is kept from it.
  const isForElsewhere = event.ctrlKey || event.metaKey || event.shiftKey;
  if (isForElsewhere && event.target.closest(".kb a")) event.stopPropagation();
};

const onKey = (event) => {
  // The dialog around the frame can't hear it: keys go to the document that has the focus.
  if (event.key === "Escape" && !event.defaultPrevented) postToHost("close");
  onCalendarKey(event);
  onEnterKey(event);
};

const started = new WeakSet();

/** Starts the widgets of the page; those that it has got since, when the script comes once more with them. */
const startWidgets = () => {
  for (const widget of findAll(document, ".kb")) {
    if (started.has(widget)) continue;
    started.add(widget);
    if (IS_FOR_HOSTS) processWidget(widget);
    initStep(widget);
    recordStep(widget);
    if (IS_FOR_HOSTS && !restoreStep(widget)) loadOnSight(widget);
  }
};

const HTMX_AFTER_MILLISECONDS = 2000; // whoever presses nothing yet reads, and the line is idle

/** Loads what the first press needs. On the pages that people come to, that is none of what they came for. */
const loadLater = ({ pointerType }) => {
  // A mouse moves well before it presses, and is on a good line. A finger that moves scrolls: its form brings the sheet.
  if (pointerType === "mouse" || !formBringsStyles()) loadLaterStyles();
  if (!IS_FOR_HOSTS) loadHtmx();
};

const start = () => {
  // Else htmx adds a <style>, which the page's Content-Security-Policy refuses.
  if (htmxIsOurs && htmx) htmx.config.includeIndicatorStyles = false;
  connectToHost(receiveHostDetails);
  listenToHtmx();
  listenToHistory();
  document.addEventListener("click", onClick, true);
  document.addEventListener("click", onCopyClick);
  document.addEventListener("keydown", onKey);
  document.addEventListener("pointerover", prefetchOnPointer);
  document.addEventListener("pointerdown", prefetchOnPointer);
  document.addEventListener("visibilitychange", reportOnLeave);
  addEventListener("pagehide", reportOnLeave);
  // The first sign of a visitor comes well before they press a time, so that the press waits for nothing.
  for (const sign of ["pointermove", "touchstart", "scroll", "keydown"])
    addEventListener(sign, loadLater, { once: true, passive: true });
  if (!IS_FOR_HOSTS) {
    if (!find(document, "[data-kb-later]")?.disabled) loadHtmx();
    else addEventListener("load", () => setTimeout(loadHtmx, HTMX_AFTER_MILLISECONDS));
  }
  document.addEventListener("change", ({ target }) => target.matches("[data-kb-auto]") && target.form.requestSubmit());
  guessHost();
  startWidgets();
  new ResizeObserver(reportHeight).observe(body);
};

// A frame that is sandboxed without `allow-same-origin` may not ask our server by script. Links and forms may.
const begin = (startThem) => {
  if (self.origin === "null") body.dataset.hxDisable = "";
  else startThem();
};

if (!IS_FOR_HOSTS) begin(start);
// Two widgets on a page may bring the script twice.
else if (window.kordlessBooking) window.kordlessBooking();
else {
  let isStarted;
  window.kordlessBooking = () => isStarted && startWidgets();
  begin(() =>
    whenHtmxIsThere(() => {
      start();
      isStarted = true;
    }),
  );
}
