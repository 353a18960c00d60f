// embed.js: on pages of other sites it puts the widget in the place of links. docs/embed.md is written for those sites.
//
// The page owes us nothing: its policy may forbid inline scripts and styles, eval and cookies, and its own script may add
// and remove links at any time. What only dialogs need comes in a second file, which most pages never load.

import { campaignParameters } from "../campaign-parameters.js";
import { addStyles, createWidget } from "./frame.js";

// A module has no `currentScript`, so it is looked for by its name. What an optimizer has put into the page itself, or into
// a file of its own, doesn't know where the widget is: all links stay links then.
const script = [document.currentScript, ...document.scripts].find((each, index) =>
  (index ? /^http[^?]*\/embed\.js(\?|$)/ : /^http/).test(each?.src));
const base = script ? new URL(".", script.src).href : "none"; // such as https://salon.example/book/
const origin = script && new URL(base).origin;
const parameters = campaignParameters();
const widgets = new Map(); // by link
const LINK = "a[data-kordless-booking]";

// 9 seconds: more than a slow line needs, so that whoever sees the way out needs it.
addStyles("@keyframes kordless { 0%, 99% { font-size: 0; visibility: hidden } }");

// `import()` and not a <script>: the page's policy trusts it as it trusts this script, be it by origin, by nonce with
// 'strict-dynamic' or under Trusted Types. The version makes it cacheable for ever; the build puts it in.
const openInDialog = (widget) =>
  import(`${base}embed-dialog.js?v=${DIALOG_VERSION}`).then(({ attachDialog }) => {
    // The link may have gone while the file was on its way.
    if (widgets.get(widget.link) === widget) attachDialog(widget);
  }, () => {}); // it can't be had: the link stays a link

const upgrade = (link) => {
  const widget = createWidget(link, base, parameters);
  widgets.set(link, widget);
  link.kordless = true; // on the link, because a page may load the script twice
  if (link.dataset.kordlessBooking === "inline") {
    link.style.display = "none";
    link.after(widget.wayOut, widget.frame);
  } else openInDialog(widget);
};

const remove = ({ link, frame, wayOut, dialog }) => {
  for (const element of [frame, wayOut, dialog]) element?.remove();
  widgets.delete(link);
  link.kordless = false; // a page may take a link off and put it back
};

const removeGone = () => {
  for (const widget of widgets.values()) if (!widget.link.isConnected) remove(widget);
};

const upgradeNew = (link) => {
  if (link.href.startsWith(base) && !link.kordless) upgrade(link);
};

/** Upgrades new links and removes what belonged to links that are gone. Pages call it, as documented. */
const scan = (root = document) => {
  removeGone();
  root.querySelectorAll(LINK).forEach(upgradeNew);
};

// A page that changes all the time, such as a chat, is looked through where it has changed, and never as a whole.
const onMutations = (records) => {
  removeGone();
  for (const { addedNodes } of records)
    for (const node of addedNodes) {
      if (!node.isConnected || !node.matches) continue; // taken away again, or a text
      if (node.matches(LINK)) upgradeNew(node);
      // Most of what a page adds is small, and has nothing inside.
      if (node.firstElementChild) node.querySelectorAll(LINK).forEach(upgradeNew);
    }
};

addEventListener("message", ({ source, origin: from, data }) => {
  if (from !== origin || !data?.kordless) return;
  for (const { frame, receive } of widgets.values())
    if (source === frame.contentWindow) receive(data.kordless, data.detail);
});
window.KordlessBooking = { version: 1, scan };
new MutationObserver(onMutations).observe(document, { childList: true, subtree: true });
scan();
