/** Columns that several tables have, and the lists of a user's page. */
import { h } from "/js/dom.js";
import { hrefOf } from "./address.js";
import { badge, idOf, timeOf } from "./cells.js";
import { number, points, signed, yuan } from "./format.js";
import { giftBadge, payBadge, roomBadge } from "./tones.js";

const REJECTED = 0;
const TRADE_TYPES = 4;

export const userLink = (userId) => idOf(userId, userId && hrefOf("user/:userId", { userId }));
export const orderLink = (orderId) => idOf(orderId, orderId && hrefOf("order/:orderId", { orderId }));
export const roomLink = (roomId) => idOf(roomId, roomId && hrefOf("room/:roomId", { roomId }));
export const orderHref = ({ orderId }) => (orderId ? hrefOf("order/:orderId", { orderId }) : undefined);

function tradeOrder({ orderId, externalOrderId, type, bizId }) {
  if (orderId) return orderLink(orderId);
  if (externalOrderId) return idOf(externalOrderId);
  return Number(type) === 0 ? orderLink(bizId) : idOf(bizId);
}

function tradeWhat({ type, status, debt }) {
  const known = Number(type) < TRADE_TYPES;
  const owed = debt?.change > 0 ? "tradeOwed" : "tradePaidOff";
  return [
    h("span", { say: known ? `trade_${Number(type)}` : ["asIs", { text: type }] }),
    Number(status) === REJECTED && [" ", badge("plain", "tradeRejected")],
    debt && h("p", { class: "cell-note", say: [owed, { n: number(Math.abs(debt.change)), left: number(debt.after) }] }),
  ]
    .flat()
    .filter(Boolean);
}

export const statementColumns = [
  { key: "colTime", cell: ({ createTime }) => timeOf(createTime) },
  { key: "colWhat", cell: tradeWhat },
  { key: "colCoins", number: true, cell: ({ num }) => signed(num) },
  { key: "colBalance", number: true, cell: ({ balanceAfter }) => number(balanceAfter) },
  { key: "colOrder", wide: true, cell: tradeOrder },
];

export const paymentColumns = [
  { key: "colTime", cell: ({ createTime }) => timeOf(createTime) },
  { key: "colState", cell: ({ status }) => badge(...payBadge(status)) },
  { key: "colAmount", number: true, cell: ({ amount }) => yuan(amount) },
  { key: "colCoins", number: true, cell: ({ coins: of, coinNum }) => number(of ?? coinNum) },
  { key: "colPayTime", cell: ({ payTime }) => timeOf(payTime) },
  { key: "colOrder", wide: true, cell: ({ orderId }) => orderLink(orderId) },
];

const giftColumns = (who, of) => [
  { key: "colTime", cell: ({ time }) => timeOf(time) },
  { key: "colState", cell: ({ status }) => badge(...giftBadge(status)) },
  { key: "colGift", number: true, cell: ({ giftId, count }) => `${giftId} × ${number(count)}` },
  { key: "colCoins", number: true, cell: ({ price, count }) => number(price * count) },
  { key: who, cell: (row) => userLink(of(row)) },
  { key: "colRoom", cell: ({ roomId }) => roomLink(roomId) },
  { key: "colOrder", wide: true, cell: ({ orderId }) => orderLink(orderId) },
];

export const giftsSentColumns = giftColumns("colReceiver", ({ receiverId }) => receiverId);
export const giftsReceivedColumns = giftColumns("colSender", ({ senderId }) => senderId);

export const roomColumns = [
  { key: "colRoom", cell: ({ roomId }) => roomLink(roomId) },
  { key: "colName", wide: true, cell: ({ roomName }) => roomName },
  { key: "colState", cell: ({ live }) => badge(...roomBadge(live)) },
  { key: "colStart", cell: ({ startTime }) => timeOf(startTime) },
  { key: "colEnd", cell: ({ endTime }) => timeOf(endTime) },
  { key: "roomClosedBy", cell: ({ closedBy }) => closedBy },
];

const asIs = (text) => ["asIs", { text }];

export const incomeColumns = [
  { key: "colTime", cell: ({ createTime }) => timeOf(createTime) },
  { key: "colWhat", cell: incomeWhat },
  { key: "colPoints", number: true, cell: ({ points: of }) => signed(of) },
  { key: "colCoins", number: true, cell: ({ coins: of }) => number(of) },
  { key: "reason", cell: ({ reason }) => reason },
  { key: "colOrder", wide: true, cell: ({ bizId, orderId }) => (orderId ? orderLink(orderId) : idOf(bizId)) },
];

const INCOME_KINDS = new Set(["gifts", "hold", "release", "payout"]);

function incomeWhat({ kind, status }) {
  const word = h("span", { say: INCOME_KINDS.has(kind) ? `income_${kind}` : asIs(kind) });
  return status === REJECTED ? [word, " ", badge("plain", "tradeRejected")] : word;
}

/** Income in short: what may be paid out, and what stands against it. */
export const incomeFacts = (income) => [
  ["incomeFree", points(income.incomePoints)],
  ["incomeEarned", points(income.earnedPoints)],
  ["incomeHeld", points(income.heldBackPoints)],
  ["incomePaidOut", points(income.paidOutPoints)],
  ["incomeUpTo", timeOf(income.settledUpTo)],
];
