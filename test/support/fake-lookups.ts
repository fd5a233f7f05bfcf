import type { ActionName, ParamsOf, ResultOf } from "../../services/contracts.ts";

/** What the services answer to what staff look up, where a test has no services. */

type Answers = { [N in ActionName]?: (params: ParamsOf<N>) => ResultOf<N> };

const time = "2026-01-02T03:04:05.678Z";
const room = {
  ...{ roomId: 5, externalRoomId: null, anchorId: "77", type: 1, roomName: "r", live: true, watchNum: 1 },
  ...{ startTime: time, endTime: null, guestId: null, closedBy: null, closeReason: null },
};
const payOrder = {
  ...{ orderId: "pay-order-1", userId: "77", productId: 6, productName: "60", source: 1, payChannel: 1, status: 2 },
  ...{ amount: 600, coins: 60, transactionId: "42", createTime: time, payTime: time, refundTime: null },
  refundReason: null,
};
const posting = {
  ...{ id: "9", kind: "hold", points: -500, coins: -5, status: 1, bizId: "hold:pay-order-1:77" },
  ...{ orderId: "pay-order-1", reason: "fraud", createTime: time },
};

export const lookupAnswers: Answers = {
  "user.find": () => ({
    list: [{ userId: "77", nickName: "n", externalId: null, phoneEnd: "5678", by: "phoneEnd" }],
    more: false,
  }),
  "user.profileForStaff": ({ userId }) => ({
    ...{
      userId,
      externalId: null,
      nickName: "n",
      avatar: "",
      phoneEnd: "5678",
      registeredTime: time,
      erasedTime: null,
    },
    sessions: 2,
  }),
  "user.phoneOf": () => ({ phone: "13800135678" }),
  "user.sessionsOf": () => ({ list: [{ sessionId: "7", createTime: time, expiresTime: time }] }),
  "user.restrictions": () => ({ list: [], nextCursor: null }),
  "user.endSessionsForStaff": () => ({ ended: 2 }),
  "living-room.roomsOfAnchor": () => ({ list: [room], nextCursor: "5" }),
  "living-room.roomForStaff": ({ roomId }) => ({ ...room, roomId }),
  "living-room.roomsOfExternal": () => ({ list: [room] }),
  "living-room.closeForStaff": ({ roomId }) => ({ roomId, anchorId: "77", closed: true }),
  "gift.orderStory": ({ orderId }) => ({
    ...{ orderId, madeOf: "random", senderId: "77", receiverId: "78", roomId: 5, giftId: 22, giftName: "皇冠" },
    ...{ count: 1, price: 90, state: "succeeded", accepted: { time, clock: "jetstream" }, queue: null },
    ...{ deadLetter: null, record: { id: "41", reason: null, income: 45, incomePoints: 4_500, time } },
    event: { state: "done", sequence: 7, time },
  }),
  "wallet.incomePostings": () => ({ list: [posting], nextCursor: "9" }),
  "wallet.orderStory": () => ({ trades: [], debts: [], holds: [], refundedWith: [], cut: false }),
  "payment.ordersOfUser": () => ({ list: [payOrder], nextCursor: "9" }),
  "payment.findOrders": () => ({ list: [payOrder] }),
  "payment.orderStory": () => ({
    ...{ order: payOrder, webhooks: [], marks: [], messages: [], unconfirmed: [], watch: null, refund: null },
    ...{ differences: [], cut: false },
  }),
  "im-router.giftFrame": () => ({ seq: 3, epoch: "ab" }),
  "im-router.roomChat": () => [{ msgId: "m-1", senderId: "77", text: "hello" }],
  "im-router.attendance": ({ rooms }) => ({
    known: true,
    epoch: "e",
    rooms: rooms.map(({ roomId }) => ({ roomId, members: 4, anchor: true })),
  }),
};
