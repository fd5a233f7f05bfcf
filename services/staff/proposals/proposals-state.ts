import type { Service } from "moleculer";
import { limits } from "../../../config/limits.ts";
import type { BackgroundLoop } from "../../../mixins/background-loop.ts";
import type { HealthState } from "../../../mixins/health.mixin.ts";
import type { LeasedLoop } from "../../../mixins/leased-loop.ts";
import type { MysqlState } from "../../../mixins/mysql.mixin.ts";
import type { SealsState } from "../../../mixins/seals.mixin.ts";
import { keepProposalGauges } from "./gauges.ts";
import { type ProposalJobSettings, proposalJob } from "./proposal-job.ts";
import { Proposals } from "./proposals.ts";

/** What the staff service has for moves of money. */
export interface ProposalsState extends MysqlState, SealsState {
  proposals: Proposals;
  proposalJob: LeasedLoop;
  proposalGauges: BackgroundLoop;
}

export const proposalSettings: ProposalJobSettings = { proposalsEveryMs: limits.proposals.everyMs };

/**
 * Called once as the service starts, with its database and seals there. From then on, until `stopProposals`, the job
 * finishes what is left over, on one node at a time, and the gauges are kept.
 */
export function startProposals(staff: Service & ProposalsState & HealthState): void {
  staff.proposals = new Proposals(staff);
  staff.proposalJob = proposalJob(staff, staff.proposals);
  staff.proposalGauges = keepProposalGauges(staff);
}

/** Resolves once no round of the job runs. Nothing is there where the service did not start. */
export async function stopProposals({ proposalGauges, proposalJob: job }: Partial<ProposalsState>): Promise<void> {
  await proposalGauges?.stop();
  await job?.stop();
}
