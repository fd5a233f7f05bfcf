/** Going live: kind and name, then straight into the room. */
import { api } from "../api.js";
import { whileBusy } from "../busy.js";
import { openDialog } from "../dialog.js";
import { h } from "../dom.js";
import { tabs } from "./tabs.js";

const KINDS = [
  [1, "roomNormal", "start-normal"],
  [2, "roomPk", "start-pk"],
];
const NAME_CHARS = 60;

export function openStartRoom() {
  openDialog({
    title: "startTitle",
    testid: "start-dialog",
    body: ({ close }) => {
      let type = KINDS[0][0];
      const name = h("input", {
        class: "input",
        id: "start-name",
        testid: "start-name",
        maxlength: NAME_CHARS,
        hint: "startNameHint",
        autofocus: true,
      });
      const submit = h("button", { class: "button primary", type: "submit", say: "startGo", testid: "start-submit" });
      const problem = h("p", { class: "form-problem", role: "alert", testid: "start-error", hidden: true });
      const start = async () => {
        const { roomId } = await api.startRoom(type, name.value.trim() || undefined);
        close();
        location.hash = `#/room/${roomId}`;
      };
      const complain = (message) => {
        problem.textContent = message;
        problem.hidden = false;
      };
      return h(
        "form",
        {
          class: "form",
          on: {
            submit: (event) => {
              event.preventDefault();
              whileBusy(submit, start, complain);
            },
          },
        },
        h("div", { class: "field" }, h("label", { for: "start-name", say: "startName" }), name),
        h(
          "div",
          { class: "field" },
          h("span", { class: "field-label", say: "startType" }),
          tabs("startType", KINDS, type, choose),
        ),
        problem,
        h(
          "div",
          { class: "dialog-actions" },
          h("button", { class: "button", type: "button", say: "cancel", on: { click: close } }),
          submit,
        ),
      );
      function choose(value) {
        type = value;
      }
    },
  });
}
