/** What the roles of the staff may do, to be shown: the server decides, by the same table (services/staff-roles.ts). */

const SUPPORT = ["read", "phone", "freeze", "restrict", "sessions", "rooms", "refund"];
const FINANCE = [
  ...["read", "refund", "release", "adjust", "holds", "payout", "decide"],
  ...["parked", "books", "shares", "audit", "catalogue"],
];

/** Every right, in the order of the table. */
export const rights = Object.freeze([
  ...["read", "phone", "freeze", "erase", "restrict", "sessions", "rooms"],
  ...["refund", "release", "adjust", "holds", "payout", "decide"],
  ...["parked", "deadLetters", "books", "catalogue", "topics", "shares", "keys", "audit", "persons"],
]);

export const roles = Object.freeze({ viewer: ["read"], support: SUPPORT, finance: FINANCE, admin: rights });

/**
 * What may be done about a person in this state, by the server's table of states. Nobody does it to themselves here: who
 * disables themselves could not undo it.
 * @param {{name: string, state: string, sessions: number}} person
 * @param {string} me
 * @returns {("role" | "reset" | "disable" | "enable" | "endSessions")[]}
 */
export function personActions({ name, state, sessions }, me) {
  const all = {
    invited: ["role", "reset", "disable"],
    active: ["role", "reset", "disable"],
    disabled: ["role", "enable"],
  };
  const ending = sessions > 0 ? ["endSessions"] : [];
  return name === me ? [] : [...(all[state] ?? []), ...ending];
}
