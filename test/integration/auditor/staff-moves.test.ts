import { randomUUID } from "node:crypto";
import type { Connection } from "mysql2/promise";
import { databaseName } from "../../../config/config.ts";
import { proposalStates } from "../../../services/staff/proposals/proposal-state.ts";
import { stopAll } from "../../support/system.ts";
import { findings, found, openDatabases, passesDone, startAuditor } from "./bookkeeping.ts";

/** Moves of money by staff against who approved them, as the auditor compares them. */

jest.setTimeout(120_000);

let intruder: Connection;

beforeAll(async () => {
  intruder = await openDatabases();
  await startAuditor("auditor-1", { underWayMs: 2_000 });
});
afterAll(async () => {
  await intruder?.end();
  await stopAll();
});

const table = (name: string) => `${databaseName("staff")}.${name}`;

interface Decided {
  readonly state: keyof typeof proposalStates;
  readonly proposed?: boolean;
  readonly by?: string;
  /** Whose approval is in the audit. */
  readonly audited?: string;
  /** What came of that call: `started` has no second row, else as in the audit. A refusal may be in the first row. */
  readonly outcome?: string;
  readonly begun?: "started" | "roleMissing";
  readonly ageS?: number;
}

/** Writes a move of ada, as who has the staff service's login could; resolves to its id. */
async function moveOf({ state, proposed = true, by, audited, ageS = 0, ...of }: Decided): Promise<string> {
  const { outcome = "succeeded", begun = "started" } = of;
  const [{ insertId }] = (await intruder.query(
    `INSERT INTO ${table("t_staff_proposal")} (kind, user_id, subject, coins, instruction, person, reason, proposed, move_id,
       create_time) VALUES (0, 7, 'o-1', 5, '{}', 'ada', 'r', ?, ?, UTC_TIMESTAMP(3))`,
    [proposed ? 1 : 0, randomUUID()],
  )) as unknown as [{ insertId: string }];
  await intruder.query(
    `INSERT INTO ${table("t_staff_proposal_state")} (proposal_id, state, refusal, decided_by, counted, update_time)
     VALUES (?, ?, ?, ?, 0, UTC_TIMESTAMP(3) - INTERVAL ? SECOND)`,
    [insertId, proposalStates[state], state === "refused" ? "payOrderState" : null, by ?? null, ageS],
  );
  if (audited !== undefined) {
    const [call] = (await intruder.query(
      `INSERT INTO ${table("t_staff_audit")} (person, role, address, route, about, outcome, create_time)
       VALUES (?, 'finance', '127.0.0.1', '/live/admin/proposals/approve', ?, ?, UTC_TIMESTAMP(3))`,
      [audited, `s${insertId}`, begun],
    )) as unknown as [{ insertId: string }];
    if (outcome !== "started" && begun === "started")
      await intruder.query(
        `INSERT INTO ${table("t_staff_audit")} (call_id, outcome, create_time) VALUES (?, ?, UTC_TIMESTAMP(3))`,
        [call.insertId, outcome],
      );
  }
  return `move s${insertId}`;
}

const moveFindings = async () => (await findings()).filter(({ kind }) => kind === "moveNotApproved");

test("moves that another person approved, that nobody had to approve and that moved nothing are no difference", async () => {
  await moveOf({ state: "done", by: "bob", audited: "bob" });
  await moveOf({ state: "refused", by: "bob", audited: "bob" });
  // The node died, or its answer was lost.
  for (const outcome of ["started", "unavailable"]) await moveOf({ state: "done", by: "bob", audited: "bob", outcome });
  await moveOf({ state: "done", proposed: false });
  for (const state of ["open", "expired"] as const) await moveOf({ state });
  await moveOf({ state: "declined", by: "bob" });
  await passesDone(2);
  expect(await moveFindings()).toEqual([]);
});

test.each<[what: string, move: Decided]>([
  ["that nobody approved", { state: "done" }],
  ["that its own person approved", { state: "done", by: "ada", audited: "ada" }],
  ["that is said to be approved by a person who did not ask for it", { state: "approved", by: "bob" }],
  ["whose approval in the audit is somebody else's", { state: "done", by: "bob", audited: "carol" }],
  ["whose approval was refused by the role", { state: "done", by: "bob", audited: "bob", begun: "roleMissing" }],
  ["whose approval was refused later", { state: "done", by: "bob", audited: "bob", outcome: "ownProposal" }],
  ["that was approved long ago and is not carried out", { state: "approved", by: "bob", audited: "bob", ageS: 60 }],
  ["that needed nobody and is open", { state: "open", proposed: false }],
])("a move %s is found and named", async (_what, move) => {
  await found("moveNotApproved", await moveOf(move));
});
