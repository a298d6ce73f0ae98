"use strict";
// Airflow keeps the chosen look here; without a choice the system's is used.
function look() {
  let chosen = null;
  try { chosen = localStorage.getItem("theme"); } catch (error) { /* storage is closed: the system decides */ }
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
  else delete document.documentElement.dataset.theme;
}
look();
if (window.parent !== window) document.documentElement.classList.add("framed");
addEventListener("storage", look);
// Inside Airflow these pages stand in a frame that may not lead its window elsewhere. A link to Airflow itself is
// followed by the window around it; the address is one that this page wrote, below this very host.
addEventListener("click", (event) => {
  const link = event.target.closest ? event.target.closest("a[data-airflow]") : null;
  if (!link || window.parent === window || event.ctrlKey || event.metaKey || event.shiftKey) return;
  try {
    const outside = window.parent.document.createElement("a");
    outside.href = link.href;
    if (outside.origin !== location.origin) return;
    event.preventDefault();
    window.parent.document.body.append(outside);
    outside.click();
    outside.remove();
  } catch (error) { /* a frame of another host: the link is followed here */ }
});
