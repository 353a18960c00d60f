// Everything that the widget tells this page, newest first.
const say = (name, text) => Object.assign(document.createElement(name), { textContent: text });

for (const name of ["ready", "step", "booked", "rescheduled", "cancelled", "resize", "closed"]) {
  document.addEventListener(`kordless:${name}`, ({ type, detail, target }) => {
    const line = document.createElement("li");
    const when = say("time", new Date().toLocaleTimeString());
    line.append(when, say("strong", `${type} from “${target.textContent.trim()}”`), say("code", JSON.stringify(detail)));
    document.getElementById("log").prepend(line);
  });
}
if (window.crossOriginIsolated) document.getElementById("isolated").textContent = "This page is cross-origin isolated.";
