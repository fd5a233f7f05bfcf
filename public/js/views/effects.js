/** Gifts flying over the stage. What does not fit is not drawn: the feed beside it has every gift. */
import { h } from "../dom.js";
import { giftArt } from "../gift-art.js";

const AT_ONCE = 24;
const LANES = 6;
const GRAND_COINS = 200;
const GONE_AFTER_MS = 4_200; // where the event of the animation's end does not come (hidden window)

export function createEffects() {
  const layer = h("div", { class: "effects", testid: "effects", "aria-hidden": "true" });
  let lane = 0;

  function play({ giftId, count, price }, senderName) {
    if (layer.children.length >= AT_ONCE || document.hidden) return;
    lane = (lane + 1) % LANES;
    const grand = Number(price) * Number(count) >= GRAND_COINS;
    const effect = h(
      "div",
      { class: `effect lane-${lane}${grand ? " grand" : ""}`, testid: "gift-effect", "data-gift-id": giftId },
      h("div", { class: "effect-art" }, giftArt(giftId, "effect-gift")),
      h("div", { class: "effect-words" }, h("span", { text: senderName }), h("strong", { text: `×${count}` })),
    );
    const remove = () => effect.remove();
    effect.addEventListener("animationend", (event) => event.target === effect && remove());
    setTimeout(remove, GONE_AFTER_MS);
    layer.append(effect);
  }

  return { layer, play };
}
