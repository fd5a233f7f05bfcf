/** Who gave most: in this live, and to this anchor in a day, a week, a month, ever. */
import { api } from "../api.js";
import { ApiError } from "../api-error.js";
import { tellFailure } from "../busy.js";
import { openDialog } from "../dialog.js";
import { h } from "../dom.js";
import { coins, number, shortUser } from "../format.js";
import { say, translate } from "../language.js";
import { avatar } from "../people.js";
import { tabs } from "./tabs.js";

const SPANS = ["room", "day", "week", "month", "all"];
const NO_SUCH_PATH = 404;

let closed; // whether this system has no ranks; `undefined` until it was asked

/** The button that opens them; it stays hidden where the system has none. */
export function createRanksButton({ roomId, anchorId, signal }) {
  const open = () => openRanks({ roomId, anchorId });
  const button = h("button", {
    class: "button glass small",
    type: "button",
    say: "ranks",
    testid: "ranks",
    hidden: closed !== false,
    on: { click: open },
  });
  if (closed === undefined) api.roomRank(roomId).then(() => learn(false), refused);

  function learn(none) {
    closed = none;
    if (!signal.aborted) button.hidden = none;
  }

  /** Another failure says nothing about whether there are ranks. */
  function refused(error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.code === NO_SUCH_PATH) learn(true);
    else if (!signal.aborted) button.hidden = error.loggedOut;
  }

  return button;
}

function openRanks({ roomId, anchorId }) {
  openDialog({
    title: "ranks",
    testid: "ranks-dialog",
    body({ signal }) {
      let span = SPANS[0];
      const list = h("ol", { class: "rows rank-rows", testid: "rank-list", tabindex: 0, label: "ranks" });
      const none = h("p", { class: "empty", testid: "rank-none", hidden: true });
      const mine = h("p", { class: "rank-mine", testid: "rank-mine", role: "status" });
      const choices = SPANS.map((value) => [value, `rank_${value}`, `rank-${value}`]);
      load().catch(tellFailure);
      return [tabs("rankSpan", choices, span, choose), list, none, mine];

      function choose(chosen) {
        span = chosen;
        load().catch(tellFailure);
      }

      async function load() {
        const asked = span;
        const answer = await (asked === "room" ? api.roomRank(roomId) : api.anchorRank(anchorId, asked));
        if (signal.aborted || asked !== span) return;
        list.replaceChildren(...answer.list.map(rankRow));
        list.dataset.span = asked;
        none.hidden = answer.list.length > 0;
        say(none, "rankNone");
        const vars = { rank: number(answer.me.rank), n: () => translate(...coins(answer.me.coins)) };
        say(mine, placeKey(answer.me), vars);
      }
    },
  });
}

function placeKey({ rank, coins: given }) {
  if (rank) return "rankMine";
  return given > 0 ? "rankFar" : "rankNot";
}

function rankRow({ rank, userId, nickName, coins: given }) {
  const name = nickName || shortUser(userId);
  return h(
    "li",
    { class: "row", testid: "rank-row", "data-user-id": userId },
    h("span", { class: "rank-place", text: rank }),
    avatar(userId, name, "tiny"),
    h("p", { class: "row-main rank-name", text: name }),
    h("p", { class: "row-number", say: coins(given) }),
  );
}
