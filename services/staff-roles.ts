import { z } from "zod";

/** What each staff role may do. This is the one table of it. */

const rights = [
  /** Everything that can be read, but phone numbers. */
  "read",
  /** A phone number in full. */
  "phone",
  "freeze",
  /** Have a user erased; another person approves it. */
  "erase",
  /** Mute and ban. */
  "restrict",
  /** End a user's sessions. */
  "sessions",
  /** Close a room. */
  "rooms",
  "refund",
  "release",
  "adjust",
  "holds",
  "payout",
  /** Approve and decline proposals. */
  "decide",
  /** Marks of parked payments, the reconciliation. */
  "parked",
  "deadLetters",
  "books",
  /** Gifts and products. */
  "catalogue",
  "topics",
  "shares",
  /** API keys and webhooks. */
  "keys",
  "audit",
  "persons",
] as const;
export type Right = (typeof rights)[number];
/** A right, as a param. */
export const right = z.enum(rights);

/** The role of a person, not of a node. */
export const staffRole = z.enum(["viewer", "support", "finance", "admin"]);
export type StaffRole = z.infer<typeof staffRole>;

const table: Readonly<Record<StaffRole, readonly Right[]>> = {
  viewer: ["read"],
  support: ["read", "phone", "freeze", "restrict", "sessions", "rooms", "refund"],
  finance: [
    ...(["read", "refund", "release", "adjust", "holds", "payout", "decide"] as const),
    ...(["parked", "books", "shares", "audit", "catalogue"] as const),
  ],
  admin: rights,
};

/** What a role may do, to show it. Whether a call is allowed is decided by `roleHas`. */
export function rightsOf(role: StaffRole): readonly Right[] {
  return table[role];
}

/** Whether a role has a right. The staff service asks this at each call of a person. */
export function roleHas(role: StaffRole, wanted: Right): boolean {
  return table[role].includes(wanted);
}
