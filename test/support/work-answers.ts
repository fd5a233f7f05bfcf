import type { ActionName, ParamsOf, ResultOf } from "../../services/contracts.ts";

/** What staff and consoles look at, for the neighbours of a gateway. */

const time = "2026-01-02T03:04:05.678Z";
const minute = "2026-01-02T03:04:00.000Z";

const letter = {
  ...{ id: 17, time, channel: "wallet-recharge", subject: "pay.recharge", reason: "it does not fit" },
  ...{ orderId: "pay-order-1", forged: false, unknownKey: false, size: 80 },
};
const handled = {
  ...{
    handledId: "5",
    id: 17,
    time,
    channel: "wallet-recharge",
    subject: "pay.recharge",
    deadReason: "it does not fit",
  },
  ...{
    orderId: "pay-order-1",
    forged: false,
    unknownKey: false,
    size: 80,
    state: "done" as const,
    by: "ada",
    reason: "repaired",
  },
  ...{ beginTime: time, doneTime: time, body: null },
};
const key = {
  ...{ keyId: "k3v9w0a1b2c3", name: "shop", scopes: ["users:read" as const], perMinute: null },
  ...{ createdBy: "staff:ada", createTime: time, revokedTime: null },
};
const share = {
  ...{ id: "5", anchorId: "77", percent: 60, from: time, operator: "staff:ada", written: time },
  ...{ verdict: "right" as const, inForce: true },
};

type Answers = { [N in ActionName]?: (params: ParamsOf<N>) => ResultOf<N> };

export const workAnswers: Answers = {
  "provisioner.deadLetters": () => ({ list: [letter], nextCursor: "17" }),
  "provisioner.deadLetter": () => ({ ...letter, orderIds: ["pay-order-1"], body: "{}", bodyCut: false }),
  "provisioner.countDeadLetters": () => ({ count: 3 }),
  "staff.replayDeadLetter": () => ({ ...handled, decision: "replay" }),
  "staff.giveUpDeadLetter": () => ({ ...handled, decision: "giveUp", body: "{}" }),
  "staff.handledDeadLetters": () => ({ list: [{ ...handled, decision: "replay" }], nextCursor: null }),
  "staff.figures": () => ({ openProposals: 2 }),
  "platform.figures": () => ({ openProposals: 1 }),
  "platform.listKeys": () => ({ list: [key], next: null }),
  "platform.createKey": () => ({ keyId: key.keyId, key: `ovk_${key.keyId}_secret` }),
  "platform.revokeKey": () => ({ ...key, revokedTime: time }),
  "gift.shares": () => ({ list: [share], nextCursor: null }),
  "gift.setShare": ({ from = time }) => ({ from }),
  "gift.queueDepth": () => ({
    ...{ waiting: 5, inFlight: 2, deadLetters: 1, oldestMs: 40 },
    partitions: [{ partition: 0, gifts: 7 }],
  }),
  "gift.figures": () => ({ perMinute: [{ minute, gifts: 10, coins: 900 }] }),
  "payment.figures": () => ({
    ...{ parked: 4, differences: 6 },
    perMinute: [{ minute, paidOrders: 2, chargedCoins: 120 }],
  }),
  "payment.ordersOfKey": () => ({ list: ["pay-order-1"], nextCursor: null }),
  "auditor.figures": () => ({ findings: 8 }),
  "living-room.figures": () => ({ rooms: 9 }),
  "im-server.status": () => ({ address: "ws://127.0.0.1:8086/im", connections: 11, rooms: 1, draining: false }),
};
