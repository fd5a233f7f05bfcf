/**
 * The picture of a gift: its cover, where the page may load it, else a drawing by its id. Relative addresses are those of
 * the mobile apps' own files, which are not served here.
 */
import { h } from "/js/dom.js";
import { giftArt } from "/js/gift-art.js";
import { pictureUrl } from "./cells.js";

/** @param {{giftId: number, giftName: string, coverImgUrl: string}} gift */
export function giftPicture({ giftId, giftName, coverImgUrl }) {
  const place = h("span", { class: "gift-picture" });
  const draw = () => {
    place.replaceChildren(giftArt(giftId, "gift-art"));
    if (coverImgUrl)
      place.append(h("span", { class: "gift-drawn", tip: "giftDrawn", "aria-hidden": "true", text: "?" }));
  };
  const src = /^(https:)?\//i.test(coverImgUrl) ? pictureUrl(coverImgUrl) : undefined;
  if (!src) {
    draw();
    return place;
  }
  const image = h("img", {
    ...{ src, width: 40, height: 40, loading: "lazy", decoding: "async", referrerpolicy: "no-referrer" },
    ...{ alt: giftName, testid: "gift-cover", on: { error: draw } },
  });
  place.append(image);
  return place;
}
