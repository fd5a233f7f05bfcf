/** The chat and the gifts of the room, newest below. */
import { h } from "../dom.js";
import { number } from "../format.js";
import { giftArt } from "../gift-art.js";
import { say } from "../language.js";
import { avatar } from "../people.js";

const LINES_KEPT = 300;
const NEAR_END_PX = 80;
const UNSURE_AFTER_MS = 8_000;

export function createFeed({ me, names, anchorId, giftName }) {
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

  function chatLine(senderId, content) {
    const { face, name } = person(senderId);
    const mine = senderId === me;
    return h(
      "div",
      { class: mine ? "feed-line mine" : "feed-line", testid: "feed-chat" },
      face,
      h(
        "div",
        { class: "bubble" },
        h("p", { class: "bubble-name" }, name),
        h("p", { class: "bubble-text", text: content }),
      ),
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
    chat(senderId, content) {
      const at = senderId === me ? unconfirmed.findIndex((entry) => entry.content === content) : -1;
      if (at >= 0) unconfirmed.splice(at, 1)[0].line.classList.remove("pending");
      else append(chatLine(senderId, content));
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
