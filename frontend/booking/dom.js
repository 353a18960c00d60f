// Short forms for the DOM, what is remembered of each widget, and the words for screen readers.
//
// A widget is an element with the class `kb`: the body of a whole page, or a part of a page of the host's own. One page
// may hold several, so nothing here is remembered for the page when it belongs to a widget.

export const { body } = document;

export const find = (root, selector) => root.querySelector(selector);
export const findAll = (root, selector) => [...root.querySelectorAll(selector)];

/** Returns whether a page of the site's is the widget's own, as one of its template is. Any other is, where `IS_FOR_HOSTS` is false. */
export const ownsPage = (widget) => "kbPage" in widget.dataset;

/** The card of the current step; its `data-kb-*` attributes say what is shown. */
export const stepCard = (widget) => find(widget, "[data-kb-step]");

/** What htmx swaps: it stays when the card in it is replaced. */
export const stage = (widget) => find(widget, ".kb-stage");

const states = new WeakMap();

/** What is remembered of a widget from one event to the next. */
export const stateOf = (widget) => {
  if (!states.has(widget)) states.set(widget, {});
  return states.get(widget);
};

/** The address of the step that is shown. Inside a page of the host's only the script knows it. */
export const shownAddress = (widget) =>
  IS_FOR_HOSTS && !ownsPage(widget) ? new URL(stateOf(widget).address ?? "", location).href : location.href;

/** The widget's headlines, such as the weeks and the day: what a screen reader is told when a part of the step changes. */
export const headlines = (widget) => findAll(widget, "[data-kb-say]");
export const headlineText = (widget) => headlines(widget).map((headline) => headline.textContent).join(". ");

/** Has screen readers say a text without moving the focus; an empty one silences what is still waiting to be said. */
export const announce = (widget, text) => (find(widget, "[data-kb-live]").textContent = text);
