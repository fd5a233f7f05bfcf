/** A person's own account: role, sessions, password. */
import { whileBusy } from "/js/busy.js";
import { h } from "/js/dom.js";
import { translate } from "/js/language.js";
import { toast } from "/js/toast.js";
import { openAction } from "../action-dialog.js";
import { call } from "../api.js";
import { badge, facts, timeOf, viewHead } from "../cells.js";
import { createTable } from "../table.js";
import { codeField, passwordField } from "./login.js";

export const meView = { path: "me", title: "meTitle", show };

function show(root, _params, session) {
  const sessions = createTable({
    ...{ caption: "meSessions", testid: "my-sessions", signal: session.signal },
    fetchPage: () => call("mySessions/list", {}, session),
    columns: [
      { key: "sessionCreated", cell: ({ createTime }) => timeOf(createTime) },
      { key: "sessionExpires", cell: ({ expiresTime }) => timeOf(expiresTime) },
      { key: "sessionAddress", cell: ({ address }) => address },
      { key: "sessionEnd", hideLabel: true, cell: endCell },
    ],
  });
  const change = h("button", { class: "button", type: "button", say: "mePassword", testid: "change-password" });
  change.addEventListener("click", () => changePassword(sessions.restart));
  root.append(
    viewHead({ text: session.name }, { beside: change }),
    facts([
      ["meRole", h("span", { say: `role_${session.role}` })],
      ["meUntil", timeOf(session.expiresTime)],
    ]),
    h("h2", { say: "meSessions" }),
    sessions.element,
  );
  return sessions.restart();

  function endCell({ sessionId, current }) {
    if (current) return badge("good", "sessionThis");
    const button = h("button", { class: "button small", type: "button", say: "sessionEnd", testid: "end-session" });
    button.addEventListener("click", () =>
      whileBusy(button, async () => {
        await call("mySessions/end", { sessionId });
        toast.success(translate("sessionEnded"));
        await sessions.restart();
      }),
    );
    return button;
  }
}

function changePassword(after) {
  const password = passwordField("password", "mePasswordOld", "current-password");
  const fresh = passwordField("newPassword", "enrolPassword", "new-password", "enrolPasswordHint");
  const totp = codeField();
  openAction({
    ...{ testid: "password", title: "mePassword", yes: "mePassword", fields: [password, fresh, totp] },
    effects: () => ["mePasswordEffect"],
    run: (values) => {
      // A code is good once: after a refusal another one is typed.
      totp.input.value = "";
      return call("password/change", values);
    },
    done: () => ({ text: "mePasswordDone" }),
    after,
  });
}
