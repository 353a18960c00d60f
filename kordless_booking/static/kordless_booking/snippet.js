// The snippet builder shows at once what was chosen, and copies it.
const form = document.querySelector("[data-kb-snippet]");
const result = () => document.querySelector("[data-kb-snippet-result]");
const offerCopy = () => (result().querySelector("[data-kb-copy]").hidden = !navigator.clipboard);
let timer;
let asked = 0;

const show = async () => {
  const mine = ++asked;
  const answer = await fetch(`?${new URLSearchParams(new FormData(form))}`);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const made = page.querySelector("[data-kb-snippet-result]");
  if (!made || mine !== asked) return;
  const [before, after] = [result(), made].map((one) => one.querySelector("iframe").src);
  if (before === after) made.querySelector("iframe").replaceWith(result().querySelector("iframe"));
  result().replaceWith(made);
  offerCopy();
};

form.addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(show, 300);
});

document.addEventListener("click", async ({ target }) => {
  if (!target.matches("[data-kb-copy]")) return;
  await navigator.clipboard.writeText(document.getElementById("kb-snippet-text").value);
  result().querySelector("[data-kb-copied]").textContent = "Copied.";
});

offerCopy();
