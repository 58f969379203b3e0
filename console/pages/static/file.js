// @ts-check
/** A file of a form is read here, into the field where its text may be pasted as well: what is sent is the text. */

for (const part of document.querySelectorAll("[data-file]")) part.toggleAttribute("hidden", false);
for (const input of document.querySelectorAll("input[data-into]")) {
  input.addEventListener("change", async () => {
    if (!(input instanceof HTMLInputElement)) return;
    const [file] = input.files ?? [];
    const into = document.getElementById(input.dataset["into"] ?? "");
    if (!file || !(into instanceof HTMLTextAreaElement)) return;
    into.value = await file.text();
    into.dispatchEvent(new Event("input", { bubbles: true })); // as if it was typed: it is kept, and checked
  });
}
