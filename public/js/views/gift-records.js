/** Gifts sent and received, newest first. */
import { api } from "../api.js";
import { tellFailure } from "../busy.js";
import { h } from "../dom.js";
import { coins, shortUser, time } from "../format.js";
import { giftArt } from "../gift-art.js";
import { createCursorList } from "./cursor-list.js";
import { loadCatalogue } from "./gift-tray.js";
import { tabs } from "./tabs.js";

const DIRECTIONS = [
  ["sent", "recordsSent", "records-sent"],
  ["received", "recordsReceived", "records-received"],
];

export async function giftRecordsView(host, signal) {
  let direction = DIRECTIONS[0][0];
  const catalogue = await loadCatalogue();
  if (signal.aborted) return;
  const records = createCursorList({
    fetchPage: (cursor) => api.giftRecords(direction, cursor),
    row: (record) => recordRow(record, direction, catalogue),
    testid: "records",
    signal,
  });
  const choose = tabs("recordsKind", DIRECTIONS, direction, (chosen) => {
    direction = chosen;
    records.restart().catch(tellFailure);
  });
  host.append(
    h(
      "div",
      { class: "page narrow" },
      h("div", { class: "page-head" }, h("h1", { say: "recordsTitle" })),
      choose,
      records.elements,
    ),
  );
  await records.restart();
}

function recordRow(record, direction, catalogue) {
  const sent = direction === "sent";
  const who = { name: () => shortUser(sent ? record.receiverId : record.senderId) };
  const worth = Number(record.price) * Number(record.count);
  return h(
    "li",
    { class: record.status === "failed" ? "row rejected" : "row", testid: "record", "data-status": record.status },
    giftArt(record.giftId, "row-art"),
    h(
      "div",
      { class: "row-main" },
      h(
        "p",
        { class: "row-title" },
        h("span", { text: `${catalogue.nameOf(record.giftId)} ×${record.count}` }),
        record.status !== "succeeded" && h("span", { class: "row-badge", say: `status_${record.status}` }),
      ),
      h(
        "p",
        { class: "row-detail" },
        h("span", { say: [sent ? "recordTo" : "recordFrom", who] }),
        " · ",
        h("a", { href: `#/room/${Number(record.roomId)}`, say: ["recordRoom", { id: record.roomId }] }),
        ` · ${time(record.time)}`,
      ),
    ),
    h("div", { class: "row-end" }, h("p", { class: "row-number", say: coins(worth) })),
  );
}
