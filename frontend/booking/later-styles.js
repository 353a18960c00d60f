// The style sheet of later steps, such as forms and the confirmation. The pages of the services and of the times link it
// disabled, so that no browser loads it for them.
//
// On a page of our own that has its style in its head, the form brings that sheet along: see `styleHeaders`. So a press on
// a time is one request, and whoever only looks at times pays nothing.

import { find } from "./dom.js";

const TIMEOUT_MILLISECONDS = 3000; // a step without its style is better than none

const laterLink = () => find(document, "[data-kb-later]");

let loading;

/** Loads the style sheet, once. Returns a promise while it is under way, and nothing when it is there. */
export const loadLaterStyles = () => {
  const link = laterLink();
  if (link?.disabled) {
    loading = new Promise((resolve) => {
      link.onload = link.onerror = resolve;
      setTimeout(resolve, TIMEOUT_MILLISECONDS);
    }).then(() => (loading = null));
    link.disabled = false;
  }
  return loading;
};

/** Whether the form brings the sheet, because nothing has loaded it yet. */
export const formBringsStyles = () => {
  const link = !IS_FOR_HOSTS && laterLink();
  return link?.disabled && link.dataset.kbLater === "form";
};

/** What asks for the sheet with the page that a control leads to. */
export const styleHeaders = (control) => (control.matches(".kb-time") && formBringsStyles() ? { "KB-Style": "later" } : {});

/** Loads the sheet where what the control leads to needs it, and doesn't bring it. Returns what `loadLaterStyles` does. */
export const loadStylesFor = (control) =>
  control.matches(".kb-day, .kb-turn, .kb-choices *, .kb-service *") || styleHeaders(control)["KB-Style"] ? null : loadLaterStyles();

/**
 * Takes the sheet that a response has brought: into the style in the head, so that what the site has in its head comes after
 * it, as with the link. Where there is no such style, the link is left to be loaded.
 */
export const takeLaterStyles = (html) => {
  if (IS_FOR_HOSTS) return;
  const css = /<template data-kb-style>([^<]+)/.exec(html)?.[1];
  const link = css && formBringsStyles() && laterLink();
  const sheet = link && link.previousElementSibling?.sheet;
  if (!sheet) return;
  sheet.insertRule(`@media all{${css}}`, sheet.cssRules.length);
  link.remove();
};
