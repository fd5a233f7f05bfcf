/** A modal dialog with a title and a close button; the browser keeps the focus inside and gives it back. */
import { h } from "./dom.js";

/** @returns {{close: () => void, signal: AbortSignal}} `signal` ends with the dialog */
export function openDialog({ title, testid, body, wide = false }) {
  const ended = new AbortController();
  const close = () => dialog.close();
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
  window.addEventListener("hashchange", close, { signal: ended.signal });
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
