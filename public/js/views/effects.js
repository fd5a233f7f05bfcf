/**
 * Gifts flying over the stage. The gifts of a streak are one effect that stays and counts up. What does not fit is not
 * drawn: the feed beside it has every gift.
 */
import { h } from "../dom.js";
import { giftArt } from "../gift-art.js";

const AT_ONCE = 24;
const LANES = 6;
const GRAND_COINS = 200;
const GONE_AFTER_MS = 4_200; // where the event of the animation's end does not come (hidden window)
const STREAK_STAYS_MS = 3_000; // after its latest gift

export function createEffects() {
  const layer = h("div", { class: "effects", testid: "effects", "aria-hidden": "true" });
  const streaks = new Map(); // id of a streak → its effect, while it is on the stage
  let lane = 0;

  /** @param {number} [reached] the pieces of the gift's streak so far */
  function play({ giftId, count, price, combo }, senderName, reached = count) {
    if (document.hidden) return;
    const running = streaks.get(combo?.id);
    if (running) {
      running.grow(reached);
      return;
    }
    if (layer.children.length >= AT_ONCE) return;
    lane = (lane + 1) % LANES;
    const grand = Number(price) * Number(count) >= GRAND_COINS;
    let number = counter(reached);
    const effect = h(
      "div",
      { class: `effect lane-${lane}${grand ? " grand" : ""}`, testid: "gift-effect", "data-gift-id": giftId },
      h("div", { class: "effect-art" }, giftArt(giftId, "effect-gift")),
      h("div", { class: "effect-words" }, h("span", { text: senderName }), number),
    );
    let timer = setTimeout(remove, GONE_AFTER_MS);
    effect.addEventListener("animationend", (event) => {
      if (event.target === effect && !effect.classList.contains("streak")) remove();
    });
    layer.append(effect);
    if (combo) streaks.set(combo.id, { grow });

    function grow(total) {
      clearTimeout(timer);
      timer = setTimeout(remove, STREAK_STAYS_MS);
      effect.classList.add("streak");
      const next = counter(total); // a new element, whose animation starts over
      number.replaceWith(next);
      number = next;
    }

    function remove() {
      clearTimeout(timer);
      effect.remove();
      if (combo) streaks.delete(combo.id);
    }
  }

  return { layer, play };
}

function counter(count) {
  return h("strong", { testid: "effect-count", text: `×${count}` });
}
