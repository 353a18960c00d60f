// What is known of the page while its script is loaded. First of all modules: `currentScript` is null in any event.

/** Whether htmx came with the widget. The configuration of a host's own htmx isn't ours to change. */
export const htmxIsOurs = "kbOurs" in document.currentScript.dataset;
