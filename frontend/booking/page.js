// What is known of the page while its script is loaded. First of all modules: `currentScript` is null in any event.

/** The nonce of the host's policy, for what the script adds to the page. */
export const nonce = IS_FOR_HOSTS && document.currentScript.nonce;

/** Whether htmx came with the widget. The configuration of a host's own htmx isn't ours to change. */
export const htmxIsOurs = "kbOurs" in document.currentScript.dataset;
