/** A room: whose it is, who watches, who moderates, who is silenced there. */
import { tellFailure } from "/js/busy.js";
import { h } from "/js/dom.js";
import { closeRoom, removeChat, restrict } from "../actions/restrictions.js";
import { call } from "../api.js";
import { badge, facts, incomplete, timeOf, viewHead } from "../cells.js";
import { userLink } from "../columns.js";
import { number } from "../format.js";
import { restrictionColumns } from "../restriction-table.js";
import { createTable } from "../table.js";
import { roomBadge } from "../tones.js";

export const roomView = { path: "room/:roomId", title: "roomTitle", right: "read", show };

async function show(root, { roomId }, session) {
  const head = h("div", { class: "view-part" });
  const table = createTable({
    ...{ caption: "tab_restrictions", testid: "restrictions", signal: session.signal },
    columns: restrictionColumns({ session, after: () => table.restart() }),
    fetchPage: (cursor) => call("restriction/list", { roomId, ...(cursor ? { cursor } : {}) }, session),
  });

  async function reload() {
    const answer = await call("room/get", { roomId }, session);
    if (session.signal.aborted) return;
    head.replaceChildren(...headOf(answer, session, () => reload().catch(tellFailure)).filter(Boolean));
  }

  await reload();
  root.append(head, h("h2", { say: "tab_restrictions" }), table.element);
  const chat = session.has("restrict") ? chatTable(roomId, session, () => table.restart()) : undefined;
  if (chat) root.append(h("h2", { say: "chatList" }), h("p", { class: "lead", say: "chatListLead" }), chat.element);
  await Promise.all([table.restart(), chat?.restart()]);
}

/** What the room's history has, with what may be done about each message and its sender. */
function chatTable(roomId, session, muted) {
  const button = (say, testid, click) =>
    h("button", { class: "button small", type: "button", say, testid, on: { click } });
  const actions = (message) =>
    h(
      "div",
      { class: "cell-actions" },
      button("chatYes", "chat-remove", () => removeChat(roomId, () => table.restart(), message)),
      button("chatMute", "chat-mute", () => restrict({ userId: message.senderId }, "mute", { roomId, after: muted })),
    );
  const table = createTable({
    ...{ caption: "chatList", testid: "chat", empty: "chatNone", signal: session.signal },
    columns: [
      { key: "colUser", cell: ({ senderId }) => userLink(senderId) },
      { key: "chatText", wide: true, cell: ({ text }) => text },
      { key: "colActions", hideLabel: true, cell: actions },
    ],
    fetchPage: () => call("room/chat", { roomId }, session),
  });
  return table;
}

function headOf(answer, session, after) {
  const room = answer.room ?? answer;
  const { roomId, roomName, live, anchorId } = room;
  const viewers = live ? (answer.viewers ?? room.watchNum) : room.watchNum;
  const buttons = [
    live &&
      session.has("rooms") && [
        "closeRoomYes",
        "close-room-open",
        () => closeRoom({ ...room, watchNum: viewers }, after),
      ],
    live && session.has("restrict") && ["chatYes", "remove-chat-open", () => removeChat(roomId, after)],
  ].filter(Boolean);
  const moderators = answer.moderators ?? [];
  return [
    incomplete(answer.incomplete),
    viewHead(
      { text: roomName || String(roomId) },
      {
        testid: "room-name",
        beside: buttons.map(([say, testid, click]) =>
          h("button", { class: "button small", type: "button", say, testid, on: { click } }),
        ),
      },
    ),
    facts([
      ["colState", badge(...roomBadge(live), "room-state")],
      ["roomId", h("span", { class: "id", text: roomId })],
      ["externalRoomId", room.externalRoomId],
      ["colAnchor", h("span", {}, `${answer.anchor?.nickName ?? ""} `, userLink(anchorId))],
      room.guestId && ["roomGuest", userLink(room.guestId)],
      ["roomViewers", number(viewers)],
      ["colStart", timeOf(room.startTime)],
      room.endTime && ["colEnd", timeOf(room.endTime)],
      ["roomClosedBy", room.closedBy],
      ["roomCloseReason", room.closeReason],
    ]),
    h("h2", { say: "roomModerators" }),
    moderators.length === 0
      ? h("p", { class: "lead", say: "none" })
      : h(
          "ul",
          { class: "badges" },
          moderators.map((one) => h("li", {}, userLink(one.userId ?? one))),
        ),
  ];
}
