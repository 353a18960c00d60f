// The style sheet of later steps, such as forms and the confirmation. The pages of the services and of the times link it
// disabled, so that no browser loads it for them.

import { find } from "./dom.js";

const TIMEOUT_MILLISECONDS = 3000; // a step without its style is better than none

let loading;

/** Loads the style sheet, once. Returns a promise while it is under way, and nothing when it is there. */
export const loadLaterStyles = () => {
  const link = find(document, "[data-kb-later]");
  if (link?.disabled) {
    loading = new Promise((resolve) => {
      link.onload = link.onerror = resolve;
      setTimeout(resolve, TIMEOUT_MILLISECONDS);
    }).then(() => (loading = null));
    link.disabled = false;
  }
  return loading;
};
