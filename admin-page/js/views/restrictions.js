/** Mutes and bans: who is silenced or shut out, where, until when, and who did it. */
import { h } from "/js/dom.js";
import { noteInAddress } from "../address.js";
import { call } from "../api.js";
import { viewHead } from "../cells.js";
import { checkField, numberField, textField } from "../fields.js";
import { restrictionColumns } from "../restriction-table.js";
import { createTable } from "../table.js";

export const restrictionsView = { path: "restrictions", title: "restrictionsTitle", nav: "find", right: "read", show };

function show(root, params, session) {
  const user = textField({ name: "userId", label: "userId", required: false, value: params.userId ?? "" });
  const room = numberField({ name: "roomId", label: "roomId", required: false, value: params.roomId ?? "" });
  const active = checkField({ name: "active", label: "restrictInForceOnly", checked: params.active !== "0" });
  const table = createTable({
    ...{ caption: "restrictionsTitle", testid: "restrictions", signal: session.signal },
    columns: restrictionColumns({ session, after: () => table.restart() }),
    fetchPage: (cursor) => call("restriction/list", { ...filters(), ...(cursor ? { cursor } : {}) }, session),
  });

  function filters() {
    const [userId, roomId, inForce] = [user, room, active].map(({ read }) => read().value);
    return {
      ...(userId === undefined ? {} : { userId }),
      ...(roomId === undefined ? {} : { roomId }),
      ...(inForce ? { active: 1 } : {}),
    };
  }

  function apply(event) {
    event.preventDefault();
    const { userId, roomId, active: inForce } = filters();
    noteInAddress({ userId, roomId, active: inForce ? undefined : "0" });
    table.restart();
  }

  const submit = h("button", { class: "button", type: "submit", say: "filter", testid: "filter" });
  root.append(
    viewHead("restrictionsTitle", { lead: "restrictionsLead" }),
    h("form", { class: "filters", novalidate: true, on: { submit: apply } }, user.row, room.row, active.row, submit),
    table.element,
  );
  return table.restart();
}
