import type { Context, Service, ServiceBroker } from "moleculer";
import { fail } from "../../../broker/failure.ts";
import { limits } from "../../../config/limits.ts";
import type { MysqlState } from "../../../mixins/mysql.mixin.ts";
import { eraseAuditParams } from "../../../mixins/operator-audit/erase-params.ts";
import { call } from "../../contracts.ts";
import type { ErasureObstacle } from "../../erasure.contract.ts";
import { eraseParamsAbout } from "../audit-store.ts";
import { eraseReasons, proposalById } from "../proposals/proposal-store.ts";
import { type ErasingService, nextService } from "./erasure-state.ts";
import {
  dueErasures,
  type Erasure,
  endErasure,
  erasureOf,
  hasOpenMove,
  insertErasure,
  noteDone,
  postpone,
  removeClosing,
  startErasing,
} from "./erasure-store.ts";

/** The erasure of users: what keeps one from it, its beginning, and going on with it until every service has erased. */

type Staff = Pick<Service & MysqlState, "broker" | "logger" | "mysql">;
type Caller = Pick<Context, "call"> | Pick<ServiceBroker, "call">;

interface Wanted {
  readonly userId: string;
  readonly giveUp: boolean;
}

/** What keeps a user from being erased, as every service knows it now. Fails: unavailable. */
export async function obstaclesOf(caller: Caller, { mysql }: MysqlState, wanted: Wanted): Promise<ErasureObstacle[]> {
  const answers = await Promise.all([
    call(caller, "wallet.erasureObstacles", { ...wanted }),
    call(caller, "payment.erasureObstacles", { ...wanted }),
    call(caller, "living-room.erasureObstacles", { ...wanted }),
    call(caller, "platform.erasureObstacles", { ...wanted }),
  ]);
  const all = new Set(answers.flatMap(({ obstacles }) => obstacles));
  if (await hasOpenMove(mysql, wanted.userId)) all.add("move");
  return [...all];
}

/** Fails: erasureBlocked, unavailable. */
export async function requireErasable(caller: Caller, staff: MysqlState, wanted: Wanted): Promise<void> {
  const obstacles = await obstaclesOf(caller, staff, wanted);
  if (obstacles.length > 0) throw fail("erasureBlocked", { userId: wanted.userId, obstacles });
}

/**
 * Begins an erasure that was approved. The row comes first, then the wallet closes the account: it decides, under the lock
 * of the account. From there on the erasure goes on by itself. A repeat, on any node, does the same once. Fails:
 * erasureBlocked, and then nothing has changed; userUnknown, unavailable.
 */
export async function beginErasure(
  caller: Caller,
  { mysql }: MysqlState,
  { userId, giveUp, proposalId }: Wanted & { proposalId: string },
): Promise<{ userId: string; state: Erasure["state"] }> {
  const known = await erasureOf(mysql, userId);
  if (known && known.state !== "closing") return { userId, state: known.state };
  if (!known) {
    await requireErasable(caller, { mysql }, { userId, giveUp });
    await insertErasure(mysql, { userId, proposalId, giveUp });
  }
  const { obstacles } = await call(caller, "wallet.eraseUser", { userId, giveUp });
  if (obstacles.length > 0) {
    await removeClosing(mysql, userId);
    throw fail("erasureBlocked", { userId, obstacles });
  }
  // Another attempt, which the wallet refused, may have removed the row: the account is closed now.
  await insertErasure(mysql, { userId, proposalId, giveUp });
  await startErasing(mysql, userId);
  return { userId, state: "erasing" };
}

const eraseActions = {
  user: "user.eraseUser",
  "living-room": "living-room.eraseUser",
  payment: "payment.eraseUser",
  platform: "platform.eraseUser",
  wallet: "wallet.eraseUser",
} as const satisfies Record<Exclude<ErasingService, "staff">, string>;

/** Has one service erase; resolves to what it waits for. */
async function eraseAt({ broker, mysql }: Staff, service: ErasingService, { userId, giveUp }: Erasure) {
  if (service === "staff") {
    // Who did what, and when, stays.
    await eraseParamsAbout(mysql, [userId, ...(await eraseReasons(mysql, userId))]);
    await eraseAuditParams(mysql, new Set([userId]));
    return [];
  }
  const { obstacles } = await call(
    broker,
    eraseActions[service],
    { userId, giveUp },
    { timeout: limits.erasure.stepMs },
  );
  return obstacles;
}

/**
 * What two persons have decided on. The row of an erasure alone proves nothing: whoever has the login of this database can
 * write it. Its proposal is sealed, and the auditor compares its approval.
 */
async function approvedOf(mysql: Staff["mysql"], { proposalId, userId }: Erasure) {
  const proposal = await proposalById(mysql, proposalId);
  const isApproved = proposal?.proposed && (proposal.state === "approved" || proposal.state === "done");
  const asked = proposal?.instruction;
  return isApproved && asked?.kind === "erase" && asked.userId === userId ? asked : undefined;
}

/** Goes on with one erasure, as far as it comes. Never rejects for a service that is away. */
async function goOn(staff: Staff, erasure: Erasure): Promise<void> {
  const { logger, mysql } = staff;
  const { userId } = erasure;
  const asked = await approvedOf(mysql, erasure);
  if (!asked) {
    logger.error({ userId, proposalId: erasure.proposalId }, "an erasure has no approved proposal: nothing is erased");
    return postpone(mysql, userId, "staff: no approved proposal");
  }
  const done = [...erasure.done];
  for (let service = nextService(done); service; service = nextService(done)) {
    let problem: string | undefined;
    try {
      const obstacles = await eraseAt(staff, service, { ...erasure, giveUp: asked.giveUp });
      if (obstacles.length > 0) problem = `${service}: waits for ${obstacles.join(", ")}`;
    } catch (err) {
      problem = `${service}: ${(err as { type?: string }).type ?? "fault"}`;
      logger.warn({ err, userId, service }, "a service did not erase a user: it is asked again");
    }
    if (problem !== undefined) return postpone(mysql, userId, problem);
    done.push(service);
    await noteDone(mysql, userId, done);
  }
  if (await endErasure(mysql, userId)) logger.info({ userId }, "a user is erased everywhere");
}

/** Goes on with the erasures that are due; returns whether there may be more. */
export async function eraseDue(staff: Staff): Promise<boolean> {
  const due = await dueErasures(staff.mysql);
  for (const erasure of due) await goOn(staff, erasure);
  return due.length === limits.erasure.perRound;
}
