import { randomUUID } from "node:crypto";
import type { Connection } from "mysql2/promise";
import { databaseName } from "../../../config/config.ts";
import { type Instruction, proposalKinds, subjectOf } from "../../../services/staff/proposals/instruction.ts";
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
  readonly one?: Instruction;
  readonly moveId?: string;
  /** Of one that is done: it is not in the books. */
  readonly lost?: boolean;
}

const refund: Instruction = { kind: "refund", orderId: "o-1" };

/** The auditor sees all that this writes or none of it, however long the machine takes between two rows. */
async function atOnce<T>(write: () => Promise<T>): Promise<T> {
  await intruder.beginTransaction();
  try {
    const written = await write();
    await intruder.commit();
    return written;
  } catch (error) {
    await intruder.rollback();
    throw error;
  }
}

/** Writes a move of ada on five coins of user 7, as who has the staff service's login could; resolves to its id. */
const moveOf = (given: Decided): Promise<string> => atOnce(() => writeMove(given));

async function writeMove(given: Decided): Promise<string> {
  const { state, proposed = true, by, audited, ageS = 0, one = refund, moveId = randomUUID(), lost = false } = given;
  const { outcome = "succeeded", begun = "started" } = given;
  const [{ insertId }] = (await intruder.query(
    `INSERT INTO ${table("t_staff_proposal")} (kind, user_id, subject, coins, instruction, person, reason, proposed, move_id,
       create_time) VALUES (?, 7, ?, 5, ?, 'ada', 'r', ?, ?, UTC_TIMESTAMP(3))`,
    [proposalKinds.indexOf(one.kind), subjectOf(one), JSON.stringify(one), proposed ? 1 : 0, moveId],
  )) as unknown as [{ insertId: string }];
  if (state === "done" && !lost) await carriedOut(one, moveId);
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

/** Writes what the service that carries a move out has of it. */
async function carriedOut(one: Instruction, moveId: string): Promise<void> {
  const posting = (kind: number, points: number, bizId: string, orderId: string | null = null) =>
    intruder.query("INSERT INTO t_income_posting (anchor_id, kind, points, biz_id, order_id) VALUES (7, ?, ?, ?, ?)", [
      kind,
      points,
      bizId,
      orderId,
    ]);
  const subject = subjectOf(one);
  if (one.kind === "adjust") await adjustment(`staff:${moveId}`, one.coins);
  else if (one.kind === "payout") await posting(3, -500, `payout:${subject}`);
  else if (one.kind === "hold") await posting(1, -500, `hold:${subject}:7`, subject);
  else if (one.kind === "releaseHold") await posting(2, 500, `release:${subject}:7`, subject);
  else if (one.kind === "holdFree") await posting(1, -500, `free-hold:${subject}`);
  else if (one.kind === "releaseFree") await posting(2, 500, `free-release:${subject}`);
  else
    await intruder.query(
      `INSERT INTO ${databaseName("payment")}.t_pay_carried_out (move_id, order_id, create_time)
       VALUES (?, ?, UTC_TIMESTAMP(3))`,
      [moveId, subject],
    );
}

/** Writes an adjustment of user 7 that is done, as the platform service does; resolves to its row's id. */
async function adjustment(id: string, coins: number, { decidedBy = null as string | null } = {}): Promise<string> {
  const orders = databaseName("platform");
  const [{ insertId }] = (await intruder.query(
    `INSERT INTO ${orders}.t_money_order (biz_id, kind, user_id, amount, proposed, key_id, signed_order, create_time)
     VALUES (?, 1, 7, ?, ?, ?, 'x', UTC_TIMESTAMP(3))`,
    [`platform:adjust:${id}`, coins, decidedBy === null ? 0 : 1, id.startsWith("staff:") ? "staff" : "a-key"],
  )) as unknown as [{ insertId: string }];
  await intruder.query(
    `INSERT INTO ${orders}.t_money_state (order_id, state, balance_after, decided_by, update_time)
     VALUES (?, 2, 5, ?, UTC_TIMESTAMP(3))`,
    [insertId, decidedBy],
  );
  return String(insertId);
}

/** Writes a call of a person who approves a proposal, and what came of it. */
async function approval(person: string, about: string, outcome = "succeeded"): Promise<void> {
  const [{ insertId }] = (await intruder.query(
    `INSERT INTO ${table("t_staff_audit")} (person, role, address, route, about, outcome, create_time)
     VALUES (?, 'finance', '127.0.0.1', '/live/admin/proposals/approve', ?, 'started', UTC_TIMESTAMP(3))`,
    [person, about],
  )) as unknown as [{ insertId: string }];
  await intruder.query(
    `INSERT INTO ${table("t_staff_audit")} (call_id, outcome, create_time) VALUES (?, ?, UTC_TIMESTAMP(3))`,
    [insertId, outcome],
  );
}

const moveFindings = async () => (await findings()).filter(({ kind }) => kind.startsWith("move"));

let next = 0;
/** A move of each kind, each about something of its own. */
function everyKind(): Instruction[] {
  const [orderId, userId, points, anchorIds] = [`o-${next++}`, "7", 500, ["7"]];
  return [
    { kind: "refund", orderId },
    { kind: "release", orderId },
    { kind: "adjust", userId, coins: -5, adjustId: orderId },
    { kind: "payout", userId, points, payoutId: orderId },
    { kind: "hold", orderId, anchorIds },
    { kind: "releaseHold", orderId, anchorIds },
    { kind: "holdFree", userId, points, holdId: orderId },
    { kind: "releaseFree", userId, points, holdId: orderId },
  ];
}

test("moves that another person approved, that nobody had to approve and that moved nothing are no difference", async () => {
  await moveOf({ state: "done", by: "bob", audited: "bob" });
  await moveOf({ state: "refused", by: "bob", audited: "bob" });
  // The node died, or its answer was lost.
  for (const outcome of ["started", "unavailable"]) await moveOf({ state: "done", by: "bob", audited: "bob", outcome });
  await moveOf({ state: "done", proposed: false });
  for (const state of ["open", "expired"] as const) await moveOf({ state });
  await moveOf({ state: "declined", by: "bob" });
  for (const one of everyKind()) await moveOf({ state: "done", proposed: false, one });
  await atOnce(async () => {
    const id = await adjustment("by-a-key", 20_000, { decidedBy: "staff:bob" });
    await approval("bob", `p${id}`, "forbidden");
    await approval("bob", `p${id}`);
  });
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

test("a move of any kind that is done and is not in the books is found and named", async () => {
  const lost: string[] = [];
  for (const one of everyKind()) lost.push(await moveOf({ state: "done", proposed: false, one, lost: true }));
  for (const subject of lost) await found("moveDiffers", subject);
});

test("an adjustment by staff without such a move is found and named", async () => {
  const ids = Array.from({ length: 4 }, () => randomUUID()) as [string, string, string, string];
  const one: Instruction = { kind: "adjust", userId: "7", coins: -5, adjustId: "a" };
  // What is given where it was to be taken; other coins; what was declined; and nothing at all.
  await moveOf({ state: "approved", proposed: false, one, moveId: ids[0] });
  await moveOf({ state: "approved", proposed: false, one, moveId: ids[1] });
  await moveOf({ state: "declined", by: "bob", one, moveId: ids[2] });
  await adjustment(`staff:${ids[0]}`, 5);
  await adjustment(`staff:${ids[1]}`, -50);
  for (const id of ids.slice(2)) await adjustment(`staff:${id}`, -5);
  await adjustment("staff:s999999", 1_000_000);
  for (const id of [...ids, "s999999"]) await found("moveDiffers", `order platform:adjust:staff:${id}`);
});

test("a proposal of an API key whose approval is not in the audit, or was refused, is found and named", async () => {
  const [first, second] = [
    await adjustment("by-a-key-2", 20_000, { decidedBy: "staff:bob" }),
    await adjustment("by-a-key-3", 20_000, { decidedBy: "staff:bob" }),
  ];
  await approval("carol", `p${first}`);
  await approval("bob", `p${second}`, "roleMissing");
  for (const id of [first, second]) await found("moveNotApproved", `proposal p${id}`);
});
