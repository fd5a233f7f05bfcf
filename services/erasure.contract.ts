import { z } from "zod";
import { action } from "./action-contract.ts";
import { userId } from "./fields.ts";

/**
 * The erasure of a user, as the services that have something of a person take part in it (decision 0085). The staff
 * service alone calls them, after two persons have decided on it.
 */

/**
 * Why a user is not erased yet.
 * - payment: an order is open, parked, being refunded, or paid and not credited.
 * - debt: the user owes coins.
 * - coins, income: of the user, and nobody has said that they are given up.
 * - room: a live room.
 * - move: a move of money on the account that waits for a decision, or is being carried out.
 */
export const erasureObstacles = ["payment", "debt", "coins", "income", "room", "move"] as const;
export type ErasureObstacle = (typeof erasureObstacles)[number];

/** `giveUp`: the coins and the income that are left are given up. They stay in the books, under the user's id. */
export const giveUp = z.boolean();

export const erasureActions = {
  /** What keeps the user from being erased, as this service knows it; changes nothing. Fails: unavailable. */
  erasureObstacles: action({ userId, giveUp }).returns<{ obstacles: ErasureObstacle[] }>(),
  /**
   * Erases what this service has of the person. Durable when it returns without obstacles; with some, nothing is erased
   * here yet, and the call is to be repeated. A repeat erases what has come since. Fails: userUnknown, unavailable.
   */
  eraseUser: action({ userId, giveUp }).returns<{ obstacles: ErasureObstacle[] }>(),
};
