/** The rooms that are live, by kind, page after page. */
import { watchAccount } from "../account.js";
import { api } from "../api.js";
import { whileBusy } from "../busy.js";
import { h, hashOf } from "../dom.js";
import { number } from "../format.js";
import { say } from "../language.js";
import { openStartRoom } from "./start-room.js";
import { tabs } from "./tabs.js";

const KINDS = [
  [1, "roomNormal", "rooms-normal"],
  [2, "roomPk", "rooms-pk"],
];
const COVERS = 6;

export function roomsView(host, signal) {
  let kind = KINDS[0][0];
  let page = 0;
  const list = h("ul", { class: "room-grid", testid: "rooms" });
  const none = h("p", { class: "empty", testid: "rooms-empty", hidden: true });
  const more = h("button", { class: "button more", type: "button", say: "more", testid: "rooms-more", hidden: true });
  const refresh = h("button", { class: "button quiet", type: "button", say: "refresh", testid: "rooms-refresh" });
  const start = h("button", {
    class: "button primary",
    type: "button",
    say: "start",
    testid: "start-room",
    on: { click: openStartRoom },
  });
  more.addEventListener("click", () => load(more, page + 1));
  refresh.addEventListener("click", () => load(refresh, 1));
  const choose = tabs("roomsKind", KINDS, kind, (chosen) => {
    kind = chosen;
    load(refresh, 1);
  });
  host.append(
    h(
      "div",
      { class: "page" },
      h(
        "div",
        { class: "page-head" },
        h("h1", { say: "roomsTitle" }),
        h("div", { class: "page-actions" }, refresh, start),
      ),
      choose,
      list,
      none,
      more,
    ),
  );
  // Hidden only where the server answers that the person may not start a room.
  watchAccount(({ user }) => {
    start.hidden = user?.showStartLivingBtn === false;
  }, signal);
  return load(refresh, 1);

  function load(button, wanted) {
    const asked = kind;
    const work = async () => {
      const { list: rooms, hasNext } = await api.rooms(asked, wanted);
      if (signal.aborted || asked !== kind) return;
      page = wanted;
      if (page === 1) list.replaceChildren();
      // A room opened meanwhile moves the pages on by one: what is shown already is not shown twice.
      list.append(...rooms.filter(({ id }) => !list.querySelector(`[data-room-id="${Number(id)}"]`)).map(roomCard));
      more.hidden = !hasNext;
      none.hidden = list.children.length > 0;
      say(none, "roomsNone");
    };
    return whileBusy(button, work).finally(() => asked !== kind && !signal.aborted && load(button, 1));
  }
}

function roomCard(room) {
  const name = h("h2", { class: "room-card-name" });
  if (room.roomName) name.textContent = room.roomName;
  else say(name, "roomUnnamed", { id: room.id });
  return h(
    "li",
    { class: "room-card", "data-room-id": room.id, testid: "room-card" },
    h(
      "a",
      { class: "room-card-link", href: `#/room/${Number(room.id)}` },
      h(
        "div",
        { class: `cover cover-${hashOf(room.id, COVERS)}` },
        h("span", { class: "live-badge", say: "roomLive" }),
        h("span", { class: "cover-letter", "aria-hidden": "true", text: [...(room.roomName || "O")][0] }),
      ),
      h(
        "div",
        { class: "room-card-text" },
        name,
        h(
          "p",
          { class: "room-card-facts" },
          h("span", { say: ["userShort", { id: String(room.anchorId).slice(-4) }] }),
          h("span", { say: ["roomsWatching", { n: () => number(room.watchNum ?? 0) }] }),
          h("span", { say: ["roomsLikes", { n: () => number(room.goodNum ?? 0) }] }),
        ),
      ),
    ),
  );
}
