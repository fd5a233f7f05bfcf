import { databaseRights } from "../../../services/database-rights.ts";
import { right, rightsOf, roleHas, staffRole } from "../../../services/staff-roles.ts";

/** Every right, and the roles that have it. */
const table = {
  read: ["viewer", "support", "finance", "admin"],
  phone: ["support", "admin"],
  freeze: ["support", "admin"],
  erase: ["admin"],
  restrict: ["support", "admin"],
  sessions: ["support", "admin"],
  rooms: ["support", "admin"],
  refund: ["support", "finance", "admin"],
  release: ["finance", "admin"],
  adjust: ["finance", "admin"],
  holds: ["finance", "admin"],
  payout: ["finance", "admin"],
  decide: ["finance", "admin"],
  parked: ["finance", "admin"],
  deadLetters: ["admin"],
  books: ["finance", "admin"],
  catalogue: ["finance", "admin"],
  topics: ["admin"],
  shares: ["finance", "admin"],
  keys: ["admin"],
  audit: ["finance", "admin"],
  persons: ["admin"],
};

test.each(right.options)("the right %s is of the roles of the table, and of no other", (one) => {
  expect(staffRole.options.filter((role) => roleHas(role, one))).toEqual(table[one]);
});

test("no role has a right twice, or one that is none", () => {
  for (const role of staffRole.options) {
    const rights = rightsOf(role);
    expect(new Set(rights).size).toBe(rights.length);
    expect(rights.filter((one) => !right.options.includes(one))).toEqual([]);
  }
});

test("the staff service adds to its audits and changes nothing in them", () => {
  const { t_staff_audit, t_operator_audit, t_ledger_seal } = databaseRights.staff;
  expect([t_staff_audit, t_operator_audit, t_ledger_seal]).toEqual(["add", "add", "add"]);
});
