/** The chat and the gifts of the room, newest below. */
import { h } from "../dom.js";
import { number } from "../format.js";
import { giftArt } from "../gift-art.js";
import { say } from "../language.js";
import { avatar } from "../people.js";

const LINES_KEPT = 300;
const NEAR_END_PX = 80;
const UNSURE_AFTER_MS = 8_000;

/** @param {{onMenu: (line: {userId: string, msgId: string}) => void}} options `onMenu`: a moderator chose a chat line */
export function createFeed({ me, names, anchorId, giftName, onMenu }) {
  const list = h("div", { class: "feed-lines", testid: "feed", role: "log", label: "feed", tabindex: 0 });
  const unconfirmed = []; // own lines shown before the room repeated them

  function append(line) {
    // Whoever scrolled up to read stays there.
    const follows = list.scrollHeight - list.scrollTop - list.clientHeight < NEAR_END_PX;
    list.append(line);
    while (list.children.length > LINES_KEPT) list.firstElementChild.remove();
    if (follows) list.scrollTop = list.scrollHeight;
  }

  function person(userId) {
    const id = String(userId);
    const anchor = id === anchorId && h("span", { class: "role-badge", say: "roomAnchor" });
    const whose =
      id === me ? h("span", { class: "feed-name", say: "me" }) : h("span", { class: "feed-name", text: names.of(id) });
    return { face: avatar(id, id === me ? names.own : names.of(id), "tiny"), name: [whose, anchor] };
  }

  function chatLine(senderId, content, msgId) {
    const { face, name } = person(senderId);
    const mine = senderId === me;
    const choose = () => onMenu({ userId: senderId, msgId });
    return h(
      "div",
      { class: mine ? "feed-line mine" : "feed-line", testid: "feed-chat", "data-msg-id": msgId },
      face,
      h(
        "div",
        { class: "bubble" },
        h("p", { class: "bubble-name" }, name),
        h("p", { class: "bubble-text", text: content }),
      ),
      !mine &&
        h("button", {
          class: "icon-button feed-menu",
          type: "button",
          label: "chatMenu",
          text: "⋯",
          testid: "feed-menu",
          on: { click: choose },
        }),
    );
  }

  return {
    list,
    /** Own words appear at once and are settled when the room repeats them. */
    ownChat(content) {
      const line = chatLine(me, content);
      line.classList.add("pending");
      unconfirmed.push({ content, line });
      setTimeout(() => {
        if (!line.classList.contains("pending")) return;
        const at = unconfirmed.findIndex((entry) => entry.line === line);
        if (at >= 0) unconfirmed.splice(at, 1);
        line.querySelector(".bubble-name").append(h("span", { class: "unsure", say: "feedUnsure" }));
      }, UNSURE_AFTER_MS);
      append(line);
    },
    chat(senderId, content, msgId) {
      const at = senderId === me ? unconfirmed.findIndex((entry) => entry.content === content) : -1;
      if (at < 0) {
        append(chatLine(senderId, content, msgId));
        return;
      }
      const [{ line }] = unconfirmed.splice(at, 1);
      line.classList.remove("pending");
      line.dataset.msgId = msgId;
    },
    /** Takes the last own words away that the room has not repeated. */
    refused() {
      unconfirmed.pop()?.line.remove();
    },
    remove(msgId) {
      for (const line of list.querySelectorAll("[data-msg-id]")) if (line.dataset.msgId === msgId) line.remove();
    },
    /** Whether lines of others have a menu. */
    moderate(may) {
      list.classList.toggle("moderated", may);
    },
    /** @param {number} [reached] the pieces of the gift's streak so far */
    gift(gift, reached = gift.count) {
      const { face, name } = person(gift.senderId);
      const receiver = String(gift.receiverId ?? anchorId);
      append(
        h(
          "div",
          { class: "feed-line gift", testid: "feed-gift", "data-gift-id": gift.giftId, "data-count": gift.count },
          face,
          h(
            "p",
            { class: "gift-line" },
            name,
            h("span", { class: "gift-verb", say: "feedGift" }),
            receiver !== anchorId &&
              h("span", { class: "gift-verb", say: ["feedTo", { name: () => names.of(receiver) }] }),
            giftArt(gift.giftId, "feed-gift-art"),
            h("span", { class: "feed-gift-name", text: giftName(gift.giftId) }),
            h("strong", { class: "feed-count", text: `×${gift.count}` }),
            reached > gift.count &&
              h("span", {
                class: "feed-combo",
                testid: "feed-combo",
                say: ["feedCombo", { n: () => number(reached) }],
              }),
          ),
        ),
      );
    },
    notice(key, vars) {
      const line = h("div", { class: "feed-line notice", testid: "feed-notice" });
      say(line, key, vars);
      append(line);
    },
  };
}
