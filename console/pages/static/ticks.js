// @ts-check
/** One tick for all boxes of a name. Without it they are ticked one by one. */

for (const label of document.querySelectorAll("[data-every]")) label.toggleAttribute("hidden", false);
for (const tick of document.querySelectorAll("input[data-tick]")) {
  tick.addEventListener("change", () => {
    if (!(tick instanceof HTMLInputElement)) return;
    for (const box of document.querySelectorAll(`input[name='${tick.dataset["tick"]}']`)) {
      if (box instanceof HTMLInputElement) box.checked = tick.checked;
    }
  });
}
