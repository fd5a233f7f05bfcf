/** A modal dialog with a title and a close button; the browser keeps the focus inside and gives it back. */
import { h } from "./dom.js";

/**
 * @param {object} options
 * @param {() => boolean} [options.mayClose] asked where the person closes it. Another view ends the dialog all the same
 * @returns {{close: () => void, signal: AbortSignal}} `signal` ends with the dialog
 */
export function openDialog({ title, testid, body, wide = false, mayClose = () => true }) {
  const ended = new AbortController();
  const close = () => mayClose() && dialog.close();
  const heading = h("h2", { class: "dialog-title", id: `${testid}-title`, say: title });
  const dialog = h(
    "dialog",
    { class: wide ? "dialog dialog-wide" : "dialog", testid, "aria-labelledby": heading.id },
    h(
      "div",
      { class: "dialog-head" },
      heading,
      h("button", {
        class: "icon-button",
        type: "button",
        label: "close",
        text: "×",
        testid: `${testid}-close`,
        on: { click: close },
      }),
    ),
  );
  dialog.addEventListener("close", () => {
    ended.abort();
    dialog.remove();
  });
  // A press on the backdrop reaches the dialog element itself; one inside reaches something in it.
  dialog.addEventListener("pointerdown", (event) => event.target === dialog && outside(event, dialog) && close());
  dialog.addEventListener("cancel", (event) => mayClose() || event.preventDefault());
  // A browser may close a dialog on Esc without asking by a "cancel" that can be prevented.
  const keepOpen = (event) => event.key === "Escape" && !mayClose() && event.preventDefault();
  document.addEventListener("keydown", keepOpen, { signal: ended.signal, capture: true });
  window.addEventListener("hashchange", () => dialog.close(), { signal: ended.signal });
  document.body.append(dialog);
  dialog.append(h("div", { class: "dialog-body" }, body({ close, signal: ended.signal })));
  dialog.showModal();
  return { close, signal: ended.signal };
}

function outside({ clientX, clientY }, dialog) {
  const box = dialog.getBoundingClientRect();
  return clientX < box.left || clientX > box.right || clientY < box.top || clientY > box.bottom;
}

/** Asks; true only where the person confirmed. */
export function confirmDialog({ title, question, yes, testid }) {
  return new Promise((resolve) => {
    let answer = false;
    const { signal } = openDialog({
      title,
      testid,
      body: ({ close }) => [
        h("p", { class: "dialog-question", say: question }),
        h(
          "div",
          { class: "dialog-actions" },
          h("button", { class: "button", type: "button", say: "cancel", on: { click: close } }),
          h("button", {
            class: "button danger",
            type: "button",
            say: yes,
            testid: `${testid}-yes`,
            on: { click: agree },
          }),
        ),
      ],
    });
    signal.addEventListener("abort", () => resolve(answer));
    function agree(event) {
      answer = true;
      event.currentTarget.closest("dialog").close();
    }
  });
}
