// The htmx that serves the widgets.
//
// A page of our own asks for it after the times are there, see `loadHtmx`. A page of the host's, its BASE_TEMPLATE too, may
// have an htmx of its own, of any version and at any time: so the markup of a widget tells every htmx to leave it alone,
// and this module says which one may act on it. That is the host's where it is one that we know, else a private one, which
// acts on nothing but the widgets: it neither starts by itself, nor stays in `window.htmx`.

import { findAll } from "./dom.js";
import { nonce } from "./page.js";

/** The address of our htmx. The script's element, which has it, is known only while the script is loaded. */
const address = document.currentScript.dataset.kbHtmx;

const isKnown = (htmx) => /^2\./.test(htmx?.version);

export let htmx = window.htmx;

/** Whether it is one that serves nothing but the widgets. */
export let isPrivate;

let isProcessing;

const processAll = () => {
  isProcessing = false;
  findAll(document, ".kb").forEach((widget) => htmx.process(widget));
};

/** Lets htmx act on a widget. */
export const processWidget = (widget) => {
  if (!address) return;
  if (!isPrivate) {
    widget.removeAttribute("data-hx-disable");
    widget.removeAttribute("data-hx-ignore");
  }
  htmx.process(widget);
};

const startPrivately = () => {
  // What it would do at its start it doesn't: read the host's configuration, process the page, take over the history.
  Object.assign(htmx.config, { allowEval: false, allowScriptTags: false, historyEnabled: false, disableSelector: "[data-kb-off]" });
  document.addEventListener("htmx:abort", ({ target }) => target["htmx-internal-data"]?.xhr?.abort());
  // Another htmx takes what it finds on an element for its own, and cleans a widget when the host processes what is around.
  document.addEventListener("htmx:beforeCleanupElement", ({ target }) => {
    if (isProcessing || !target.closest(".kb")) return;
    isProcessing = true;
    queueMicrotask(processAll);
  });
};

const load = (start) => {
  // Loaded after the page is, it would start by itself; but not before that, because then it waits for an event of the past.
  const script = Object.assign(document.createElement("script"), { src: address, nonce });
  const isRunning = () => document.currentScript === script;
  if (document.readyState === "complete")
    Object.defineProperty(document, "readyState", { configurable: true, get: () => (isRunning() ? "interactive" : "complete") });
  // Another script may bring the host's in the meantime.
  let hosts = window.htmx;
  let ours;
  const set = (value) => (isRunning() ? (ours = value) : (hosts = value));
  const trap = { configurable: true, enumerable: true, get: () => hosts, set };
  // It fails where the host's has been declared already: then that one is known.
  const isTrapped = Reflect.defineProperty(window, "htmx", trap);
  script.onload = script.onerror = ({ type }) => {
    delete document.readyState;
    if (!isTrapped) ours = window.htmx;
    Reflect.deleteProperty(window, "htmx");
    if (hosts) window.htmx = hosts;
    if (type === "error" || !ours) return; // links and forms work without it
    htmx = ours;
    isPrivate = true;
    startPrivately();
    start();
  };
  document.head.append(script);
};

let loading;
let isMissing; // it can't be had

/**
 * Loads htmx on a page of our own, once. Returns a promise that is kept also where it can't be had: then links and forms
 * act as they do without scripts. On a page of the host's it is there before anything of ours starts.
 */
export const loadHtmx = () =>
  (loading ??= htmx || !address ? Promise.resolve() : new Promise((resolve) => {
    const script = Object.assign(document.createElement("script"), { src: address });
    // Between DOMContentLoaded and "complete", which an image may put off, htmx would wait for an event of the past.
    const stateOfPage = Object.getOwnPropertyDescriptor(Document.prototype, "readyState").get;
    const get = () => (document.currentScript === script ? "complete" : stateOfPage.call(document));
    Object.defineProperty(document, "readyState", { configurable: true, get });
    script.onload = script.onerror = () => {
      delete document.readyState;
      htmx = window.htmx;
      // While the line is dead it isn't known: then the next press asks again.
      isMissing = !htmx && navigator.onLine;
      if (!htmx) loading = null;
      resolve();
    };
    document.head.append(script);
  }));

/** Whether what is pressed must wait for htmx: it is on its way, or hasn't been asked for yet. */
export const lacksHtmx = () => !IS_FOR_HOSTS && !htmx && address && !isMissing;

/** Calls `start` once there is an htmx for the widgets, and never where it can't be loaded. */
export const whenHtmxIsThere = (start) => {
  if (!address || isKnown(htmx)) return start();
  // Not before the host's own has looked at the page.
  let isLoading;
  const loadOnce = () => {
    if (isLoading) return;
    isLoading = true;
    htmx = window.htmx;
    isKnown(htmx) ? start() : load(start);
  };
  if (document.readyState === "complete") loadOnce();
  else for (const [target, type] of [[document, "DOMContentLoaded"], [window, "load"]]) target.addEventListener(type, loadOnce);
};
