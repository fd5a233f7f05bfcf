/** The bar of a battle on the stage: both sides, the clock, what the viewer may do, and the result. */
import { clockText, shareOf, sidesFor } from "../battle.js";
import { h } from "../dom.js";
import { coins, number } from "../format.js";
import { say, translate } from "../language.js";
import { avatar } from "../people.js";

/**
 * `show` takes a change of the battle or of its phase, `showScores` new scores, `showClock` the time that is left.
 * Changes of the phase are announced to screen readers, scores and the clock are not.
 */
export function createBattleBar({ roomId, anchorId, me, names }) {
  const first = sideOf("first");
  const second = sideOf("second");
  const clock = h("span", { class: "battle-clock", role: "timer", "aria-live": "off", testid: "battle-clock" });
  const headline = h("p", { class: "battle-headline", testid: "battle-headline" });
  const score = h("div", { class: "battle-score", "aria-hidden": "true" }, first.part, second.part);
  const sides = h("div", { class: "battle-sides" }, first.element, second.element);
  const result = h("div", { class: "battle-result" });
  const actions = h("div", { class: "battle-actions" });
  const box = h(
    "section",
    { class: "battle", label: "battle", testid: "battle", tabindex: -1, hidden: true },
    h("div", { class: "battle-head" }, headline, clock, actions),
    h("div", { class: "battle-versus" }, sides, score),
    result,
  );
  const announcer = h("p", { class: "visually-hidden", role: "status", testid: "battle-news" });
  const name = ({ userId }) => names.of(userId);

  function showScores(view) {
    const shown = sidesFor(view, roomId, anchorId);
    first.show(shown[0], name);
    second.show(shown[1], name);
    const share = shareOf(shown[0].score, shown[1].score);
    first.part.style.flexGrow = share;
    second.part.style.flexGrow = 100 - share;
  }

  function showClock(leftMs) {
    const text = leftMs === undefined || box.dataset.phase === "ended" ? "" : clockText(leftMs);
    if (clock.textContent !== text) clock.textContent = text;
  }

  /** The buttons of one battle stay where they are the same; the focus stays in the bar where they are not. */
  function offer(battleId, buttons) {
    const keys = (list) => [...list].map(({ dataset }) => dataset.testid).join();
    if (actions.dataset.battleId === battleId && keys(buttons) === keys(actions.children)) return;
    actions.dataset.battleId = battleId;
    const hadFocus = actions.contains(document.activeElement);
    actions.replaceChildren(...buttons);
    if (hadFocus) box.focus({ preventScroll: true });
  }

  function showResult(view) {
    const excluded = view.excluded?.length ?? 0;
    const senders = sidesFor(view, roomId, anchorId).map(topSenders);
    result.replaceChildren(
      h("div", { class: "battle-tops" }, senders),
      excluded > 0
        ? h("p", { class: "battle-note", testid: "battle-excluded", say: ["battleExcluded", { n: number(excluded) }] })
        : "",
    );
  }

  return {
    elements: [box, announcer],
    showScores,
    showClock,
    /** @param {(HTMLElement | false)[]} buttons what the viewer may do now */
    show(view, { phase, leftMs }, [key, vars] = [], buttons = []) {
      box.hidden = !key;
      if (!key) {
        actions.replaceChildren();
        return;
      }
      box.dataset.phase = phase;
      box.dataset.battleId = view.battleId;
      box.dataset.winner = phase === "ended" ? (view.winner ?? "") : "";
      say(headline, key, vars);
      showScores(view);
      showClock(leftMs);
      if (phase === "ended") showResult(view);
      else result.replaceChildren();
      offer(view.battleId, buttons.filter(Boolean));
    },
    announce: (key, vars) => say(announcer, key, vars),
    headlineOf(view, phase) {
      if (phase === "counting") return ["battleCounting"];
      if (phase !== "ended") return ["battle"];
      if (view.winner === me) return ["battleWonByMe"];
      const winner = view.sides.find(({ userId }) => userId === view.winner);
      return winner ? ["battleWon", { name: () => name(winner) }] : ["battleDraw"];
    },
  };

  function topSenders({ topSenders: list = [] }) {
    return h(
      "ol",
      { class: "battle-top", label: "battleTop" },
      list.map(({ userId, nickName, coins: given }) =>
        h(
          "li",
          { testid: "battle-top-sender", "data-user-id": userId },
          avatar(userId, nickName || names.of(userId), "tiny"),
          h("span", { class: "battle-top-name", text: nickName || names.of(userId) }),
          h("span", { class: "battle-top-coins", say: coins(given) }),
        ),
      ),
    );
  }
}

/** One side: its name and score, and its part of the bar. */
function sideOf(place) {
  const name = h("span", { class: "battle-name" });
  const score = h("strong", { class: "battle-number", testid: `battle-score-${place}` });
  const element = h("p", { class: `battle-side ${place}`, testid: `battle-side-${place}` }, name, score);
  return {
    element,
    part: h("span", { class: `battle-part ${place}` }),
    show(side, nameOf) {
      element.dataset.userId = side.userId;
      name.textContent = nameOf(side);
      score.textContent = number(side.score);
      score.dataset.value = side.score;
    },
  };
}

/** The words of a result, for who cannot see the bar. */
export function resultText(view, names) {
  const [first, second] = view.sides;
  return translate("battleVersus", {
    ...{ first: names.of(first.userId), m: number(first.score) },
    ...{ second: names.of(second.userId), n: number(second.score) },
  });
}
