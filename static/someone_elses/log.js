// Everything that the widget tells this page, newest first.
for (const name of ["ready", "step", "booked", "rescheduled", "cancelled", "resize", "closed"]) {
  document.addEventListener(`kordless:${name}`, ({ type, detail, target }) => {
    const line = document.createElement("li");
    const code = document.createElement("code");
    code.textContent = `${type} ${JSON.stringify(detail)}`;
    line.append(code, ` on “${target.textContent.trim()}”`);
    document.getElementById("log").prepend(line);
  });
}
if (window.crossOriginIsolated) document.getElementById("isolated").textContent = "This page is cross-origin isolated.";
