// The snippet builder shows at once what was chosen, and copies it.
{
  const form = document.querySelector("[data-kb-snippet]");
  const pick = form.querySelector("[data-kb-pick]");
  const find = (what, page = document) => page.querySelector(what);
  let timer;
  let asked = 0;

  const offer = () => document.querySelectorAll("[data-kb-copy]").forEach((button) => (button.hidden = false));

  const show = async () => {
    const mine = ++asked;
    const chosen = `?${new URLSearchParams(new FormData(form))}`;
    const answer = await fetch(chosen);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (mine !== asked || !find("[data-kb-preview]", page)) return;
    history.replaceState(null, "", chosen);
    for (const part of page.querySelectorAll("[data-kb-part]")) {
      const shown = find(`[data-kb-part="${part.dataset.kbPart}"]`);
      if (shown.textContent !== part.textContent) shown.replaceChildren(...part.childNodes);
    }
    find("#kb-snippet-text").value = find("#kb-snippet-text", page).value;
    find("[data-kb-copied]").textContent = "";
    const [before, after] = [document, page].map((one) => find("[data-kb-preview]", one));
    // A frame's own address says nothing of where it has gone meanwhile.
    if (before.getAttribute("src") !== after.getAttribute("src")) before.src = after.src;
    offer();
  };

  const copy = async (source) => {
    if (navigator.clipboard) return navigator.clipboard.writeText(source.value ?? source.textContent);
    getSelection().selectAllChildren(source);
    source.select?.();
    document.execCommand("copy");
  };

  form.addEventListener("input", ({ target }) => {
    if (target === pick) form.elements.accent.value = pick.value;
    else if (target.name === "accent" && target.checkValidity() && /^#\w{6}$/.test(target.value)) pick.value = target.value;
    clearTimeout(timer);
    timer = setTimeout(show, 300);
  });

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    clearTimeout(timer);
    show();
  });

  document.addEventListener("click", async ({ target }) => {
    if (!target.matches("[data-kb-copy]")) return;
    await copy(document.getElementById(target.dataset.kbCopy));
    // The page has the word in the language of the staff.
    find("[data-kb-copied]").textContent = find("[data-kb-copied]").dataset.kbCopied;
  });

  form.classList.add("kb-snippet-live");
  if (/^#\w{6}$/.test(form.elements.accent.value)) pick.value = form.elements.accent.value;
  pick.hidden = false;
  offer();
}
