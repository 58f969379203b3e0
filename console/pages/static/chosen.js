// @ts-check
/** Rows that are ticked for a bulk change: all of a page at once, and how many they are. Without it rows are ticked one by one. */

import { _ } from "./texts.js";

const form = document.querySelector("form[data-chosen]");

if (form instanceof HTMLFormElement) {
  const all = document.querySelector("input[data-all]");
  const count = form.querySelector("[data-count]");
  const ticks = () => /** @type {HTMLInputElement[]} */ ([...document.querySelectorAll("input[name='assignment_ids']")]);
  const matching = form.elements.namedItem("all");
  const hint = count?.textContent ?? "";

  const show = () => {
    const ticked = ticks().filter((tick) => tick.checked).length;
    const isAll = matching instanceof HTMLInputElement && matching.checked;
    if (count) count.textContent = isAll ? _("All that match are chosen.") : ticked ? _("%(number)s chosen.", { number: ticked }) : hint;
    if (all instanceof HTMLInputElement) {
      all.checked = ticked > 0 && ticked === ticks().length;
      all.indeterminate = ticked > 0 && !all.checked;
    }
    for (const button of form.querySelectorAll("button")) button.disabled = !ticked && !isAll;
  };
  if (all instanceof HTMLInputElement) {
    all.hidden = false;
    all.addEventListener("change", () => {
      for (const tick of ticks()) tick.checked = all.checked;
      show();
    });
  }
  document.addEventListener("change", show);
  addEventListener("pageshow", show);
  show();
}
