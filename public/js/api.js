/** The endpoints that the page uses, by name. */
import { post } from "./http.js";

const PAGE_SIZE = 20;
const COINS = 0;

export const PAY_SOURCE = Object.freeze({ ROOM: 1, USER_CENTRE: 2 });
export const PAY_STATUS = Object.freeze({ WAITING: 0, PAYING: 1, PAID: 2, CANCELLED: 3, INVALID: 4, REFUNDED: 5 });

export const api = Object.freeze({
  sendLoginCode: (phone) => post("/live/api/userLogin/sendLoginCode", { phone }),
  login: (phone, code) => post("/live/api/userLogin/login", { phone, code }),
  logout: () => post("/live/api/userLogin/logout"),
  initPage: () => post("/live/api/home/initPage"),

  rooms: (type, page) => post("/live/api/living/list", { type, page, pageSize: PAGE_SIZE }),
  startRoom: (type, roomName) => post("/live/api/living/startingLiving", { type, roomName }),
  closeRoom: (roomId) => post("/live/api/living/closeLiving", { roomId }),
  room: (roomId) => post("/live/api/living/anchorConfig", { roomId }),
  roomRole: (roomId) => post("/live/api/living/roomRole", { roomId }),
  mute: (mute) => post("/live/api/living/mute", mute),
  unmute: (who) => post("/live/api/living/unmute", who),
  removeChat: (line) => post("/live/api/living/removeChat", line),
  imConfig: () => post("/live/api/im/getImConfig"),

  inviteBattle: (roomId, opponentRoomId, durationS) =>
    post("/live/api/pk/invite", { roomId, opponentRoomId, durationS }),
  acceptBattle: (battleId) => post("/live/api/pk/accept", { battleId }),
  declineBattle: (battleId) => post("/live/api/pk/decline", { battleId }),
  cancelBattle: (battleId) => post("/live/api/pk/cancel", { battleId }),
  endBattle: (battleId) => post("/live/api/pk/end", { battleId }),
  /** @param {{battleId: string} | {roomId: number}} which */
  battle: (which) => post("/live/api/pk/show", which),
  joinAsGuest: (roomId) => post("/live/api/living/onlinePk", { roomId }),
  endGuestBattle: (roomId) => post("/live/api/living/offlinePk", { roomId }),
  roomRank: (roomId) => post("/live/api/rank/room", { roomId }),
  anchorRank: (anchorId, span) => post("/live/api/rank/anchor", { anchorId, span }),

  gifts: () => post("/live/api/gift/listGift"),
  sendGift: (order) => post("/live/api/gift/send", order),
  giftOrder: (orderId) => post("/live/api/gift/order", { orderId }),
  giftRecords: (direction, cursor) => post("/live/api/gift/records", { direction, limit: PAGE_SIZE, ...from(cursor) }),

  products: () => post("/live/api/bank/products", { type: COINS }),
  pay: (productId, paySource, payChannel) => post("/live/api/bank/payProduct", { productId, paySource, payChannel }),
  payOrder: (orderId) => post("/live/api/bank/order", { orderId }),
  trades: (cursor) => post("/live/api/bank/trades", { limit: PAGE_SIZE, ...from(cursor) }),
  income: () => post("/live/api/bank/income"),
});

/** Whether people log in here by phone; where that is not known, they may try. */
export async function hasPhoneLogin() {
  try {
    const response = await fetch("/page.json", { credentials: "omit", signal: AbortSignal.timeout(5_000) });
    return (await response.json()).smsLogin !== false;
  } catch {
    return true;
  }
}

function from(cursor) {
  return cursor ? { cursor } : {};
}
