/** The stage of a room: who is live, and the gifts flying over it. There is no video; the anchor's face stands for it. */
import { h } from "../dom.js";
import { say } from "../language.js";
import { avatar } from "../people.js";

/** @param {{effects: HTMLElement, tools: HTMLElement[], battle: HTMLElement[]}} parts */
export function createStage(config, { effects, tools, battle }) {
  const roomId = Number(config.roomId);
  const title = h("h1", { class: "stage-title", testid: "room-name" });
  if (config.roomName) title.textContent = config.roomName;
  else say(title, "roomUnnamed", { id: roomId });
  const anchorName = h("span", {
    class: "stage-anchor-name",
    testid: "anchor-name",
    text: config.anchorNickName ?? "",
  });
  const secondWindow = h("a", {
    class: "button glass small",
    href: `#/room/${roomId}`,
    target: "_blank",
    rel: "noopener",
    say: "roomSecondWindow",
    testid: "second-window",
  });
  return h(
    "section",
    { class: "stage", label: "roomStage" },
    h(
      "div",
      { class: "stage-head" },
      h("a", { class: "button glass small", href: "#/rooms", label: "roomBack", text: "←" }),
      h(
        "div",
        { class: "stage-names" },
        title,
        h("p", { class: "stage-anchor" }, anchorName, config.isAnchor && youAnchor()),
      ),
      h("span", { class: "live-badge", say: "roomLive" }),
      secondWindow,
    ),
    h("div", { class: "stage-tools" }, tools),
    battle,
    h("div", { class: "stage-face" }, avatar(config.anchorId, config.anchorNickName, "huge")),
    effects,
  );
}

function youAnchor() {
  return h("span", { class: "role-badge", say: "roomYouAnchor", testid: "you-anchor" });
}
