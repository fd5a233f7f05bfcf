import { z } from "zod";
import { action } from "../action-contract.ts";
import type { Right } from "../staff-roles.ts";
import { session } from "./session.contract.ts";

/**
 * What the staff service asks of other services for a person, whose session it checks first. The table is closed: for
 * each, the action that does it and the right that a person needs. Each action takes an `operator`. The staff service is
 * its one caller beside consoles (services/access.ts), so that a door that was taken over can do it for nobody whose
 * session does not pass through it. `notedHere`: the service that does it keeps no audit of operators' calls, so that the
 * staff service writes the sealed rows of the call.
 */
export const carriedOut = {
  createKey: { action: "platform.createKey", right: "keys" },
  revokeKey: { action: "platform.revokeKey", right: "keys" },
  setShare: { action: "gift.setShare", right: "shares" },
  createGift: { action: "gift.create", right: "catalogue" },
  updateGift: { action: "gift.update", right: "catalogue" },
  takeGiftOffShelf: { action: "gift.takeOffShelf", right: "catalogue" },
  createProduct: { action: "payment.createProduct", right: "catalogue" },
  updateProduct: { action: "payment.updateProduct", right: "catalogue" },
  setTopic: { action: "payment.setTopic", right: "topics" },
  removeMark: { action: "payment.removeMark", right: "parked" },
  resolveDifference: { action: "payment.resolveDifference", right: "parked" },
  acceptFinding: { action: "auditor.acceptFinding", right: "books" },
  phoneOf: { action: "user.phoneOf", right: "phone", notedHere: true },
  freeze: { action: "wallet.freeze", right: "freeze" },
  unfreeze: { action: "wallet.unfreeze", right: "freeze" },
} as const satisfies Readonly<
  Record<string, { readonly action: string; readonly right: Right; readonly notedHere?: true }>
>;

export type CarriedOut = keyof typeof carriedOut;

export const carryOutActions = {
  /**
   * Has something of the table carried out, with the operator `staff:<name>` of the session's person, and answers what
   * the action answers. Its own schema checks the `params`. Fails: notLoggedIn, roleMissing, and as the action does.
   */
  carryOut: action({
    session,
    what: z.enum(Object.keys(carriedOut) as [CarriedOut, ...CarriedOut[]]),
    params: z.record(z.string(), z.unknown()),
  }).returns<unknown>(),
};
