/** A room's battle on the page: what its frames say, what the viewer may do, and when it is told. */
import { api } from "../api.js";
import { ApiError } from "../api-error.js";
import { createBattle, sidesFor } from "../battle.js";
import { whileBusy } from "../busy.js";
import { confirmDialog } from "../dialog.js";
import { h } from "../dom.js";
import { onLanguageChange, translate } from "../language.js";
import { toast } from "../toast.js";
import { createBattleBar, resultText } from "./battle-bar.js";
import { openBattleInvite } from "./battle-invite.js";

const TICK_MS = 250;
const PK_ROOM = 2;
/** Who enters gets the battle by a frame; where none comes of a battle on show, the page asks. */
const ASK_AFTER_MS = 1_500;
/** All viewers of a room see the same frames: what they ask for is spread. */
const ASK_SPREAD_MS = 2_000;
const ASK_AGAIN_MS = 10_000; // after a failure
const CAME_TO_NOTHING = new Set(["declined", "cancelled", "expired"]);

/** @param {{setReceivers: (choices: {userId: string, name: () => string}[]) => void}} options for the gift tray */
export function createBattlePanel({ config, names, signal, setReceivers }) {
  const roomId = Number(config.roomId);
  const me = String(config.userId);
  const anchorId = String(config.anchorId);
  const battle = createBattle();
  const bar = createBattleBar({ roomId, anchorId, me, names });
  const known = new Set(); // rooms and battles that were asked for, or told of by a frame
  let shown = "none"; // the phase on show
  let shownId; // the battle on show
  let heard = false; // whether a frame told of the battle since the connection was made
  let asking; // the timer of the question for the battle on show
  let receivers = "";
  let closed = false;
  const invite = tool("battleInvite", "battle-invite", () => openBattleInvite({ roomId, onInvited: learnById }));
  const join = tool("battleJoin", "battle-join", joinAsGuest);
  const tools = config.isAnchor ? [invite] : config.type === PK_ROOM ? [join] : [];
  const timer = setInterval(tick, TICK_MS);
  signal.addEventListener("abort", () => clearInterval(timer));
  onLanguageChange(draw, signal);

  const isSide = (view) => view.sides.some(({ userId }) => userId === me);
  const nameOf = (side) => () => names.of(side.userId);

  function take(view) {
    const before = battle.view;
    if (!battle.take(view)) return;
    known.add(view.battleId);
    tellInvitation(before, battle.view);
    draw();
  }

  /** A frame has ids: the anchor of the other room is asked for by her room. */
  function introduce(view) {
    for (const side of view.sides) {
      for (const { userId, nickName } of side.topSenders ?? []) names.learn(userId, nickName);
      if (side.roomId === roomId) continue;
      const use = ({ anchorNickName }) => {
        names.learn(side.userId, anchorNickName);
        draw();
      };
      askOnce(side.roomId, isSide(view) ? 0 : ASK_SPREAD_MS, () => api.room(side.roomId), use);
    }
  }

  /** `ask` may find that there is nothing to ask for any more. After a failure, a later frame may ask again. */
  function askOnce(key, spreadMs, ask, use) {
    if (known.has(key)) return;
    known.add(key);
    const forget = () => later(ASK_AGAIN_MS, () => known.delete(key));
    later(Math.random() * spreadMs, () => quietly(ask(), use, forget));
  }

  function later(ms, run) {
    return setTimeout(() => signal.aborted || closed || run(), ms);
  }

  /** An invitation that came to nothing is told to the two anchors. */
  function tellInvitation(before, { battleId, state, sides }) {
    if (before?.battleId !== battleId || before.state !== "invited" || !isSide({ sides })) return;
    const own = sides[0].userId === me ? "cancelled" : "declined";
    if (CAME_TO_NOTHING.has(state) && state !== own) toast.say(`battle_${state}`);
  }

  function learn(which) {
    quietly(api.battle(which), take);
  }

  function learnById(battleId) {
    learn({ battleId });
  }

  /** A failed question is not shown: the frames tell the same. */
  function quietly(asked, use, onFailure) {
    asked?.then(
      (answer) => answer && !signal.aborted && use(answer),
      (error) => {
        if (!(error instanceof ApiError)) throw error;
        onFailure?.();
      },
    );
  }

  /** The end of a battle is not told to who enters after it. */
  function askWhereUnheard(afterMs) {
    clearTimeout(asking);
    asking = later(afterMs + Math.random() * ASK_SPREAD_MS, () => {
      if (heard || battle.over) return;
      quietly(api.battle({ battleId: battle.view.battleId }), take, () => askWhereUnheard(ASK_AGAIN_MS));
    });
  }

  function tick() {
    const now = battle.phase();
    if (now.phase !== shown) draw();
    else if (now.phase !== "none") bar.showClock(now.leftMs);
  }

  function draw() {
    if (closed) return;
    const now = battle.phase();
    const { view } = battle;
    const changed = now.phase !== shown || view?.battleId !== shownId;
    shown = now.phase;
    shownId = view?.battleId;
    for (const button of tools) button.hidden = now.phase !== "none" && now.phase !== "ended";
    offerReceivers(view, now.phase);
    if (now.phase === "none") bar.show(view, now);
    else if (now.phase === "invited") drawInvitation(view, now, changed);
    else drawBattle(view, now, changed);
  }

  function drawInvitation(view, now, changed) {
    const [inviter, invited] = view.sides;
    const { battleId } = view;
    const act = (key, testid, look, ask) =>
      button(key, look, testid, () => ask(battleId).then(() => learnById(battleId)));
    if (isSide(view)) introduce(view);
    if (invited.userId === me) {
      const words = ["battleInvited", { name: nameOf(inviter) }];
      bar.show(view, now, words, [
        act("battleAccept", "battle-accept", "primary", api.acceptBattle),
        act("battleDecline", "battle-decline", "glass", api.declineBattle),
      ]);
      if (changed) bar.announce(...words);
    } else if (inviter.userId === me) {
      const words = ["battleInviting", { name: nameOf(invited) }];
      bar.show(view, now, words, [act("battleCancel", "battle-cancel", "glass", api.cancelBattle)]);
    } else bar.show(view, { phase: "none" });
  }

  function drawBattle(view, now, changed) {
    introduce(view);
    const { phase } = now;
    const fights = phase === "running" || phase === "last";
    bar.show(view, now, bar.headlineOf(view, phase), [
      fights && isSide(view) && button("battleStop", "glass", "battle-end", () => end(view)),
      phase === "ended" && button("close", "glass", "battle-close", dismiss),
    ]);
    if (!changed) return;
    const [first, second] = sidesFor(view, roomId, anchorId).map(nameOf);
    if (phase === "running") bar.announce("battleStarted", { first, second });
    else if (phase === "last") bar.announce("battleLast", { n: Math.ceil(now.leftMs / 1_000) });
    else if (phase === "counting") bar.announce("battleCounting");
    else bar.announce("battleResult", { result: () => result(view), score: () => resultText(view, names) });
  }

  function result(view) {
    return translate(...bar.headlineOf(view, "ended"));
  }

  function dismiss() {
    battle.dismiss();
    draw();
  }

  async function end(view) {
    const ask = { title: "battleEnd", question: "battleEndAsk", yes: "battleEnd", testid: "battle-end-dialog" };
    if (!(await confirmDialog(ask))) return;
    // While the question was on show, the battle may have ended; of a guest, the room alone is named, and it may have another.
    if (battle.view.battleId !== view.battleId || battle.over) return;
    if (view.kind === "guest") await api.endGuestBattle(roomId);
    else await api.endBattle(view.battleId);
    learnById(view.battleId);
  }

  async function joinAsGuest() {
    const ask = { title: "battleJoin", question: "battleJoinAsk", yes: "battleJoin", testid: "battle-join-dialog" };
    if (!(await confirmDialog(ask))) return;
    const { battleId } = await api.joinAsGuest(roomId);
    learnById(battleId);
  }

  /** While a guest is there, a viewer chooses between her and the anchor. */
  function offerReceivers(view, phase) {
    const open = view?.kind === "guest" && (phase === "running" || phase === "last");
    const choices = open ? sidesFor(view, roomId, anchorId).filter(({ userId }) => userId !== me) : [];
    const key = choices.map(({ userId }) => userId).join();
    if (key === receivers) return;
    receivers = key;
    setReceivers(choices.map((side) => ({ userId: side.userId, name: nameOf(side) })));
  }

  return {
    elements: bar.elements,
    tools,
    onBattle(view) {
      heard = true;
      take(view);
    },
    onScores(frame) {
      const { battleId } = frame;
      const taken = battle.takeScores(frame);
      if (taken === "taken") {
        heard = true;
        bar.showScores(battle.view);
      } else if (taken === "unknown") {
        const ask = () => (battle.view?.battleId === battleId ? undefined : api.battle({ battleId }));
        askOnce(battleId, ASK_SPREAD_MS, ask, take);
      }
    },
    onOnline() {
      heard = false;
      if (!battle.over) askWhereUnheard(ASK_AFTER_MS);
    },
    /** The room is closed: nothing more can be done in it. */
    disable() {
      closed = true;
      clearInterval(timer);
      for (const element of [...tools, ...bar.elements]) element.hidden = true;
    },
  };
}

function tool(key, testid, run) {
  return h("button", { class: "button glass small", type: "button", say: key, testid, on: { click: busy(run) } });
}

function button(key, look, testid, run) {
  const props = { class: `button small ${look}`, type: "button", say: key, testid };
  return h("button", { ...props, on: { click: busy(run) } });
}

function busy(run) {
  return ({ currentTarget }) => whileBusy(currentTarget, async () => run());
}
