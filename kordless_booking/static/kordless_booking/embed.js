// docs/embed.md
{
  const base = new URL(".", document.currentScript.src).href;
  const { origin } = new URL(base);
  const live = new Map();
  const attribution = location.search.match(/\b(utm_\w+|\w+clk?id|.braid|li_fat_id)=[^&]+/g);

  const sheet = new CSSStyleSheet(); // no policy forbids it
  sheet.replaceSync(`
html:has(.kordless[open]) { overflow: hidden }
.kordless {
  width: 60rem; max-width: 95%; max-height: 95%; padding: 0; border: 0; border-radius: 20px; background: canvas;
  &::backdrop { background: #000a }
  button { position: sticky; top: 0; width: 100%; padding: 8px 20px; border: 0; background: canvas; color: canvastext; font-size: 28px; text-align: end }
  @media (width < 640px) { & { width: 100%; height: 100%; max-width: none; max-height: none; border-radius: 0 } }
}
@keyframes kordless { 0%, 99% { font-size: 0; visibility: hidden } }`);
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];

  const make = (tag, properties) => Object.assign(document.createElement(tag), properties);

  const upgrade = (link) => {
    const { style, dataset } = link;
    const { kordlessBooking: mode, accent, width, closeLabel = "Close", openLabel = "Open in a new tab" } = dataset;
    const title = link.textContent.trim() || "Booking";
    const scheme = dataset.scheme || getComputedStyle(link).colorScheme.replace("normal", "light");
    const chosen = { tz: Intl.DateTimeFormat().resolvedOptions().timeZone, ...dataset, scheme };
    const url = new URL(dataset.service ? `service/${dataset.service}/` : link.href, base);
    for (const name of ["host", "party", "tz", "lang", "scheme", "accent", "theme"])
      if (chosen[name]) url.searchParams.set(name, chosen[name]);
    // After 9 s of silence
    const out = make("a", { href: url, target: "_blank", textContent: openLabel });
    out.style.cssText = "display: block; animation: kordless 9s";
    url.searchParams.set("embed", 1);
    const frame = make("iframe", { title, allow: "", loading: "lazy", referrerPolicy: "strict-origin", src: url });
    frame.style.cssText = `all: initial; display: block; width: 100%; max-width: ${width}; height: 40rem; margin: auto; color-scheme: ${scheme}`;
    const dialog = make("dialog", { className: "kordless", ariaLabel: title });

    const tell = (type, detail) =>
      link.dispatchEvent(new CustomEvent("kordless:" + type, { bubbles: true, detail: { version: 1, ...detail } }));

    frame.onload = () =>
      frame.contentWindow.postMessage({ kordless: "hello", detail: { attribution, ...dataset } }, origin);

    const hear = (type, detail) => {
      if (type === "ready") out.remove();
      if (type === "resize") frame.style.height = Math.min(detail.height, 10000) + "px";
      if (type === "close") dialog.close();
      else if (type === "view") {
        const top = frame.getBoundingClientRect().top + detail.top;
        frame.style.scrollMarginTop = -detail.top + "px";
        if (top < 0 || top > innerHeight - 150) frame.scrollIntoView();
      } else tell(type, detail);
    };

    if (mode === "inline") {
      style.display = "none";
      link.after(out, frame);
    } else {
      dialog.append(make("button", { textContent: "×", ariaLabel: closeLabel }), out, frame);
      document.body.append(dialog);
      dialog.onclick = () => dialog.close();
      dialog.onclose = () => {
        link.focus();
        tell("closed");
      };
      link.onclick = (event) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey) return;
        event.preventDefault();
        dialog.showModal();
      };
      if (mode === "button")
        style.cssText = `position: fixed; z-index: 99999; bottom: 20px; ${dataset.position || "right"}: 20px; padding: 8px 20px; border: 3px solid ${accent || ""}; border-radius: 20px; background: canvas; color: canvastext`;
    }

    const undo = () => {
      for (const ours of [frame, out, dialog]) ours.remove();
      live.delete(link);
      link.kordless = false;
    };
    live.set(link, { frame, hear, undo });
  };

  const scan = (root = document) => {
    for (const [link, { undo }] of live) link.isConnected || undo();
    for (const link of root.querySelectorAll("a[data-kordless-booking]"))
      if (link.href.startsWith(base)) link.kordless ||= !upgrade(link);
  };

  addEventListener("message", ({ source, origin: from, data }) => {
    for (const { frame, hear } of live.values())
      if (from === origin && source === frame.contentWindow && data?.kordless) hear(data.kordless, data.detail);
  });
  window.KordlessBooking = { version: 1, scan };
  new MutationObserver(() => scan()).observe(document, { childList: true, subtree: true });
  scan();
}
