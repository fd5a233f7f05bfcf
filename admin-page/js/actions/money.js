/**
 * Money by hand. Each dialog makes its business id when it opens: pressed again after a failure whose outcome is not
 * known, the same act is sent again and is carried out once (act-id.js). Above the bound the answer is a proposal
 * (action-dialog.js).
 */
import { actId } from "../act-id.js";
import { openAction } from "../action-dialog.js";
import { call, newId } from "../api.js";
import { numberField, reasonField, textField } from "../fields.js";
import { coins, number, points } from "../format.js";
import { holdIdOf, longestHoldId } from "../free-holds.js";
import { aboutUser } from "./account.js";

const ID_CHARS = 64;

/** Every one of them asks for a move, which may need another person. */
const openMove = (options) => openAction({ ...options, moves: true });

const aboutOrder = (orderId) => [["colOrder", orderId]];

export function refund({ orderId, coinNum }, after) {
  openMove({
    ...{ testid: "refund", title: "refundTitle", yes: "refundYes", danger: true, after },
    ...{ about: aboutOrder(orderId), fields: [reasonField()] },
    effects: () => [
      ["refundEffect", { n: () => coins(coinNum) }],
      "refundEffectDebt",
      "refundEffectMoney",
      "moneyBound",
    ],
    run: ({ reason }) => call("order/refund", { orderId, reason }),
    done: () => ({ text: "refundDone", note: "noUndo" }),
  });
}

export function release({ orderId, coinNum }, after) {
  openMove({
    ...{ testid: "release", title: "releaseTitle", yes: "releaseYes", after },
    ...{ about: aboutOrder(orderId), fields: [reasonField()] },
    effects: () => [["releaseEffect", { n: () => coins(coinNum) }], "moneyBound"],
    run: ({ reason }) => call("order/release", { orderId, reason }),
    done: () => ({ text: "releaseDone", note: "releaseUndo" }),
  });
}

/** @param {{coins?: number}} [options] filled in where an adjustment is taken back */
export function adjust(user, after, { coins: given = "" } = {}) {
  const act = actId(() => newId("adj"));
  openMove({
    ...{ testid: "adjust", title: "adjustTitle", yes: "adjustYes", danger: true, after },
    about: [...aboutUser(user), ...(user.account ? [["balance", coins(user.account.balance)]] : [])],
    fields: [numberField({ name: "coins", label: "adjustCoins", hint: "adjustHint", value: given }), reasonField()],
    effects: ({ coins: amount }) => [...adjustEffects(amount), "moneyBound"],
    run: (values) => act.send((adjustId) => call("wallet/adjust", { userId: user.userId, ...values, adjustId })),
    done: (_answer, { coins: amount }) => ({
      text: ["adjustDone", { n: () => coins(amount) }],
      undo: { say: "adjustBack", open: () => adjust(withoutAccount(user), after, { coins: -amount }) },
    }),
  });
}

function adjustEffects(amount) {
  if (!amount) return ["adjustEffectNone"];
  const n = () => coins(Math.abs(amount));
  return amount > 0 ? [["adjustEffectGive", { n }], "adjustEffectDebt"] : [["adjustEffectTake", { n }]];
}

/** What the account had when the dialog opened is not what it has now. */
function withoutAccount({ userId, nickName }) {
  return { userId, nickName };
}

export function payout(user, after) {
  openMove({
    ...{ testid: "payout", title: "payoutTitle", yes: "payoutYes", danger: true, after },
    about: [...aboutUser(user), ["incomeFree", points(user.income?.incomePoints)]],
    fields: [
      numberField({ name: "points", label: "payoutPoints", hint: "pointsHint", min: 1 }),
      textField({ name: "payoutId", label: "payoutId", hint: "payoutIdHint", maxlength: ID_CHARS }),
      reasonField(),
    ],
    effects: ({ points: amount }) => [
      ["payoutEffect", { n: () => points(amount) }],
      ...["payoutEffectMoney", "payoutEffectOnce", "moneyBound"],
    ],
    run: (values) => call("wallet/payout", { userId: user.userId, ...values }),
    done: (_answer, { points: amount }) => ({ text: ["payoutDone", { n: () => points(amount) }], note: "noUndo" }),
  });
}

export function holdFree(user, after) {
  const act = actId(() => newId("hold"));
  openMove({
    ...{ testid: "hold-free", title: "holdFreeTitle", yes: "holdFreeYes", danger: true, after },
    about: [...aboutUser(user), ["incomeFree", points(user.income?.incomePoints)]],
    fields: [numberField({ name: "points", label: "holdPoints", hint: "pointsHint", min: 1 }), reasonField()],
    effects: ({ points: amount }) => [["holdFreeEffect", { n: () => points(amount) }], "moneyBound"],
    run: (values) => act.send((holdId) => call("income/holdFree", { userId: user.userId, ...values, holdId })),
    done: (_answer, { points: amount }) => ({
      text: ["holdFreeDone", { n: () => points(amount), id: act.id }],
      undo: { say: "releaseFreeYes", open: () => releaseFree(user, after, act.id) },
    }),
  });
}

/** @param {string} [holdId] also as the posting has it */
export function releaseFree(user, after, holdId = "") {
  openMove({
    ...{ testid: "release-free", title: "releaseFreeTitle", yes: "releaseFreeYes", after },
    about: aboutUser(user),
    fields: [
      textField({ name: "holdId", label: "holdId", value: holdId, maxlength: longestHoldId(ID_CHARS) }),
      reasonField(),
    ],
    effects: () => ["releaseFreeEffect", "moneyBound"],
    run: ({ holdId: given, reason }) => call("income/releaseFree", { holdId: holdIdOf(given), reason }),
    done: () => ({ text: "releaseFreeDone", undo: { say: "holdFreeYes", open: () => holdFree(user, after) } }),
  });
}

/** Of very many anchors one call holds the first thousand. */
const holdLeft = (open) => ["holdLeft", { n: () => number(open) }];

/** Holds back the shares of gifts that were paid with refunded coins: of every anchor, or of the one. */
export function holdShares({ orderId, anchorId, sharePoints }, after) {
  openMove({
    ...{ testid: "hold", title: "holdTitle", yes: "holdYes", danger: true, after },
    about: [...aboutOrder(orderId), ["colAnchor", anchorId ?? undefined]],
    fields: [reasonField()],
    effects: () => [holdEffect(anchorId, sharePoints), "moneyBound"],
    run: ({ reason }) => call("income/hold", sharesOf(orderId, anchorId, reason)),
    done: ({ result }) => ({
      text: anchorId === undefined && result?.shares?.open > 0 ? holdLeft(result.shares.open) : "holdDone",
      undo: { say: "releaseHoldYes", open: () => releaseShares({ orderId, anchorId, sharePoints }, after) },
    }),
  });
}

export function releaseShares({ orderId, anchorId, sharePoints }, after) {
  openMove({
    ...{ testid: "release-hold", title: "releaseHoldTitle", yes: "releaseHoldYes", danger: true, after },
    about: [...aboutOrder(orderId), ["colAnchor", anchorId ?? undefined]],
    fields: [reasonField()],
    effects: () => [["releaseHoldEffect", { n: () => points(sharePoints) }], "releaseHoldEffectOnce", "moneyBound"],
    run: ({ reason }) => call("income/release", sharesOf(orderId, anchorId, reason)),
    done: () => ({ text: "releaseHoldDone", note: "noUndo" }),
  });
}

function sharesOf(orderId, anchorId, reason) {
  return anchorId === undefined ? { orderId, reason } : { orderId, anchorId, reason };
}

function holdEffect(anchorId, sharePoints) {
  const n = () => points(sharePoints);
  return anchorId === undefined ? ["holdEffectAll", { n }] : ["holdEffect", { n }];
}
