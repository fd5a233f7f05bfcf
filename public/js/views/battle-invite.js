/** Inviting another live room to a battle: how long, and whom. */
import { api } from "../api.js";
import { whileBusy } from "../busy.js";
import { openDialog } from "../dialog.js";
import { h } from "../dom.js";
import { say } from "../language.js";
import { tabs } from "./tabs.js";

const ROOM_KINDS = [1, 2];
const MINUTES = [1, 3, 5, 10, 30];
const USUAL = 5;

/** @param {{roomId: number, onInvited: (battleId: string) => void}} options the own room */
export function openBattleInvite({ roomId, onInvited }) {
  openDialog({
    title: "battleInviteTitle",
    testid: "battle-invite-dialog",
    body({ close, signal }) {
      let minutes = USUAL;
      let page = 0;
      const list = h("ul", { class: "rows battle-rooms", testid: "battle-rooms" });
      const none = h("p", { class: "empty", say: "battleNobody", hidden: true, testid: "battle-rooms-empty" });
      const more = h("button", { class: "button more", type: "button", say: "more", hidden: true });
      const refresh = h("button", { class: "button quiet", type: "button", say: "refresh", testid: "battle-refresh" });
      const problem = h("p", { class: "form-problem", role: "alert", testid: "battle-invite-error", hidden: true });
      more.addEventListener("click", () => whileBusy(more, () => load(page + 1), complain));
      refresh.addEventListener("click", () => whileBusy(refresh, () => load(1), complain));
      whileBusy(refresh, () => load(1), complain);

      async function load(wanted) {
        const answers = await Promise.all(ROOM_KINDS.map((kind) => api.rooms(kind, wanted)));
        if (signal.aborted) return;
        page = wanted;
        problem.hidden = true;
        if (page === 1) list.replaceChildren();
        const rooms = answers.flatMap((answer) => answer.list);
        const isNew = ({ id }) => Number(id) !== roomId && !list.querySelector(`[data-room-id="${Number(id)}"]`);
        list.append(...rooms.filter(isNew).map(roomRow));
        more.hidden = !answers.some(({ hasNext }) => hasNext);
        none.hidden = list.children.length > 0;
      }

      function roomRow({ id, roomName, anchorId }) {
        const name = h("p", { class: "row-title", id: `battle-room-${Number(id)}` });
        if (roomName) name.textContent = roomName;
        else say(name, "roomUnnamed", { id });
        const anchor = h("p", { class: "row-detail", say: ["userShort", { id: String(anchorId).slice(-4) }] });
        const ask = h("button", {
          class: "button small primary",
          type: "button",
          say: "battleAsk",
          testid: "battle-ask",
        });
        ask.setAttribute("aria-describedby", name.id);
        ask.addEventListener("click", () => whileBusy(ask, () => send(Number(id)), complain));
        return h(
          "li",
          { class: "row", "data-room-id": id, testid: "battle-room" },
          h("div", { class: "row-main" }, name, anchor),
          ask,
        );
      }

      async function send(opponentRoomId) {
        const { battleId } = await api.inviteBattle(roomId, opponentRoomId, minutes * 60);
        close();
        onInvited(battleId);
      }

      function complain(message) {
        problem.textContent = message;
        problem.hidden = false;
      }

      const choices = MINUTES.map((n) => [n, ["battleMinutes", { n }], `battle-minutes-${n}`]);
      const choose = (chosen) => {
        minutes = chosen;
      };
      return [
        h("span", { class: "field-label", say: "battleLength" }),
        tabs("battleLength", choices, minutes, choose),
        problem,
        list,
        none,
        h("div", { class: "dialog-actions" }, more, refresh),
      ];
    },
  });
}
