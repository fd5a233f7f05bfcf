import type { Service } from "moleculer";
import { limits } from "../../../config/limits.ts";
import { LeasedLoop } from "../../../mixins/leased-loop.ts";
import type { MysqlState } from "../../../mixins/mysql.mixin.ts";
import { dueProposals, expireProposals, postponeProposals, stillCounted } from "./proposal-store.ts";
import type { Proposals } from "./proposals.ts";

/** Settings that tests override; the defaults are in config/limits.ts. */
export interface ProposalJobSettings {
  proposalsEveryMs: number;
}

async function round({ broker, logger, mysql }: Service & MysqlState, proposals: Proposals): Promise<boolean> {
  const { perRound } = limits.proposals;
  const expired = await expireProposals(mysql);
  if (expired > 0) logger.info({ proposals: expired }, "proposals expired: nobody decided on them in time");
  // What was approved comes first: a call that takes something off the sums may wait for its time-out.
  const more = await carryOutDue({ broker, logger, mysql }, proposals);
  for (const { id, move_id: moveId } of await stillCounted(mysql))
    if (!(await proposals.stopCounting(broker, { id, moveId }))) break;
  return more || expired === perRound;
}

/** Returns whether there may be more that is due. */
async function carryOutDue(
  { broker, logger, mysql }: Pick<Service & MysqlState, "broker" | "logger" | "mysql">,
  proposals: Proposals,
): Promise<boolean> {
  const due = await dueProposals(mysql);
  if (due.length === 0) return false;
  const ids = due.map(({ id }) => id);
  await postponeProposals(mysql, ids);
  const results = await Promise.allSettled(due.map((proposal) => proposals.carryOut(broker, proposal)));
  const failed = results.filter((result) => result.status === "rejected");
  logger.info({ moves: due.length - failed.length, first: `s${ids[0]}` }, "moves of staff are carried out");
  if (failed.length > 0)
    logger.warn({ err: failed[0]?.reason, moves: failed.length }, "moves of staff are not carried out: tried again");
  return failed.length === 0 && due.length === limits.proposals.perRound;
}

/**
 * Carries out approved moves whose node died, or whose service was away, ends proposals on which nobody decided, and takes
 * what moved nothing off the sums: on one node at a time. If two nodes work for a short time, each move still takes effect
 * once.
 */
export const proposalJob = (staff: Service & MysqlState, proposals: Proposals): LeasedLoop =>
  new LeasedLoop(staff, {
    lease: "proposals",
    leaseMs: limits.proposals.leaseMs,
    name: "moves of staff",
    everyMs: (staff.settings as ProposalJobSettings).proposalsEveryMs,
    round: () => round(staff, proposals),
  });
