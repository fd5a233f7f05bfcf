import { z } from "zod";
import { limits } from "../../../config/limits.ts";
import { call } from "../../contracts.ts";
import { spelledOut, text } from "../../fields.ts";
import { fromHttp, pageOf, shownUserId } from "../../http-fields.ts";
import { livingRoomStaffActions } from "../../living-room/staff.contract.ts";
import { paymentStaffActions } from "../../payment/staff.contract.ts";
import { shownGiftRecord, showOrder } from "../../shown-gifts.ts";
import { shownIncome, shownTrade } from "../../shown-money.ts";
import { roleHas } from "../../staff-roles.ts";
import { userStaffActions } from "../../user/staff.contract.ts";
import { walletStaffActions } from "../../wallet/staff.contract.ts";
import { awayOf, unlessAway } from "../answers.ts";
import { carriedOutByStaff } from "../carried-out.ts";
import { restrictionsOf } from "../restricted.ts";
import { search } from "../search.ts";
import { staffEndpoint } from "./endpoint.ts";
import { shownRestriction } from "./restrictions.ts";
import { shownRoom } from "./rooms.ts";

const nullableText = z.string().nullable();
const incomplete = z.array(z.string()).meta({ description: "The services that did not answer." });

const shownPayment = z.object({
  ...{ orderId: z.string(), userId: shownUserId, productId: z.int(), productName: nullableText },
  ...{ source: z.int(), payChannel: z.int() },
  status: z.int().meta({ description: "0 waiting, 1 paying, 2 paid, 3 cancelled, 4 invalid, 5 refunded" }),
  amount: z.int().meta({ description: "Fen." }),
  ...{ coins: z.int(), transactionId: nullableText, createTime: z.string(), payTime: nullableText },
  ...{ refundTime: nullableText, refundReason: nullableText },
});

const shownPosting = z.object({
  id: z.string(),
  kind: z.string().meta({ description: "gifts, hold, release, payout" }),
  points: z.int().meta({ description: "Signed by the effect on the free income; 100 to a coin." }),
  coins: z.int(),
  status: z.int().meta({ description: "0 rejected, 1 valid" }),
  ...{ bizId: z.string(), orderId: nullableText, reason: nullableText, createTime: z.string() },
});

/** The user of a page of something. */
const ofUser = fromHttp(paymentStaffActions.ordersOfUser);

const giftsOf = (direction: "sent" | "received") =>
  staffEndpoint({
    path: direction === "sent" ? "user/giftsSent" : "user/giftsReceived",
    summary: `The gifts that a user ${direction === "sent" ? "sent" : "received, those that succeeded"}, newest first`,
    right: "read",
    params: ofUser,
    result: pageOf(shownGiftRecord),
    async run(ctx, params, { language }) {
      const { list, nextCursor } = await call(ctx, "gift.records", { ...params, direction });
      return { list: list.map((gift) => showOrder(gift, language)), nextCursor };
    },
  });

export const peopleEndpoints = [
  staffEndpoint({
    path: "search",
    summary: "Finds users, gifts, payments and rooms",
    description:
      `By user id, id at the platform, last ${limits.lookup.phoneEndShown} digits of a phone (with the right phone also up to
      ${limits.lookup.phoneEndDigitsMax}, or all); order id of a gift or payment, the provider's transaction id; room id, id of the room at the platform.`.replace(
        /\s+/g,
        " ",
      ),
    right: "read",
    params: { q: z.preprocess(spelledOut, text(1, limits.lookup.queryChars)) },
    result: z.object({
      list: z.array(
        z.object({
          kind: z.enum(["user", "gift", "payment", "room"]),
          ...{ id: z.string(), title: z.string() },
          state: z
            .string()
            .nullable()
            .meta({ description: "As in a story; of a room live or closed; null of a user." }),
          detail: z.string().meta({ description: "Other names of it." }),
        }),
      ),
      more: z.boolean().meta({ description: "More phones have this end than the list has users." }),
      incomplete,
    }),
    about: () => undefined,
    // Who pastes a number pastes blanks too.
    run: (ctx, { q }, { staffRole }) => search(ctx, q.trim() || q, roleHas(staffRole, "phone")),
  }),

  staffEndpoint({
    path: "user/get",
    summary: "A user, the account, the income, restrictions and the live room",
    right: "read",
    params: fromHttp(userStaffActions.profileForStaff),
    result: z.object({
      ...{ userId: shownUserId, externalId: nullableText, nickName: z.string(), avatar: z.string() },
      phoneEnd: nullableText.meta({ description: "The last four digits." }),
      registeredTime: z.string(),
      erasedTime: nullableText.meta({ description: "When the person was erased; null: was not." }),
      sessions: z.int().meta({ description: "Those that have not ended; a JWT of the platform has none." }),
      account: z
        .object({ balance: z.int(), debt: z.int(), totalCharged: z.int(), status: z.int() })
        .nullable()
        .meta({ description: "null where the wallet did not answer. status: 0 invalid, 1 valid, 2 frozen" }),
      income: shownIncome.nullable(),
      restrictions: z
        .array(shownRestriction)
        .nullable()
        .meta({ description: "The newest that are in force; null where the user service did not answer." }),
      liveRoom: z.object({ roomId: z.int(), roomName: z.string() }).nullable(),
      incomplete,
    }),
    failures: ["userUnknown"],
    async run(ctx, { userId }) {
      const profile = await call(ctx, "user.profileForStaff", { userId });
      const [balance, income, room, restrictions] = await Promise.all([
        unlessAway(call(ctx, "wallet.balance", { userId })),
        unlessAway(call(ctx, "wallet.income", { userId })),
        unlessAway(call(ctx, "living-room.ofAnchor", { userId })),
        restrictionsOf(ctx, { userId }),
      ]);
      const { balance: coins, debt, totalCharged, status } = balance ?? {};
      return {
        ...profile,
        account: balance ? ({ balance: coins, debt, totalCharged, status } as Account) : null,
        income: income ?? null,
        restrictions: restrictions ?? null,
        liveRoom: room ? { roomId: room.roomId, roomName: room.roomName } : null,
        incomplete: awayOf({ wallet: balance && income, "living-room": room, user: restrictions }),
      };
    },
  }),

  staffEndpoint({
    path: "user/phone",
    summary: "A user's phone in full: whoever asks, and why, is in the audit",
    right: "phone",
    params: fromHttp(userStaffActions.phoneOf, "operator"),
    result: z.object({ phone: nullableText.meta({ description: "null where the user has none." }) }),
    failures: ["userUnknown"],
    run: (ctx, params, { session }) => carriedOutByStaff(ctx, session, "phoneOf", params),
  }),

  staffEndpoint({
    path: "user/statement",
    summary: "A user's statement, newest first; the sum of its valid rows is the balance",
    right: "read",
    params: ofUser,
    result: pageOf(shownTrade),
    run: (ctx, params) => call(ctx, "wallet.statement", params),
  }),

  staffEndpoint({
    path: "user/payments",
    summary: "A user's payment orders, newest first",
    right: "read",
    params: ofUser,
    result: pageOf(shownPayment),
    run: (ctx, params) => call(ctx, "payment.ordersOfUser", params),
  }),

  giftsOf("sent"),
  giftsOf("received"),

  staffEndpoint({
    path: "user/rooms",
    summary: "An anchor's rooms, newest first, the live one too",
    right: "read",
    params: fromHttp(livingRoomStaffActions.roomsOfAnchor),
    result: pageOf(shownRoom),
    run: (ctx, params) => call(ctx, "living-room.roomsOfAnchor", params),
  }),

  staffEndpoint({
    path: "user/incomePostings",
    summary: "The ledger of an anchor's income, newest first",
    right: "read",
    params: fromHttp(walletStaffActions.incomePostings),
    result: pageOf(shownPosting),
    run: (ctx, params) => call(ctx, "wallet.incomePostings", params),
  }),

  staffEndpoint({
    path: "user/sessions",
    summary: "A user's sessions that have not ended, newest first",
    right: "read",
    params: fromHttp(userStaffActions.sessionsOf),
    result: z.object({
      list: z.array(z.object({ sessionId: z.string(), createTime: z.string(), expiresTime: z.string() })),
    }),
    run: (ctx, params) => call(ctx, "user.sessionsOf", params),
  }),

  staffEndpoint({
    path: "user/endSessions",
    summary: "Ends all sessions of a user, on every node within a second; the user may log in again",
    right: "sessions",
    params: fromHttp(userStaffActions.endSessionsForStaff, "operator"),
    result: z.object({ ended: z.int() }),
    failures: ["userUnknown"],
    run: (ctx, params, { operator }) => call(ctx, "user.endSessionsForStaff", { ...params, operator }),
  }),
];

interface Account {
  balance: number;
  debt: number;
  totalCharged: number;
  status: number;
}
