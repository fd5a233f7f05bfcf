import type { BackgroundLoop } from "../../../mixins/background-loop.ts";
import type { LeasedLoop } from "../../../mixins/leased-loop.ts";
import type { MysqlState } from "../../../mixins/mysql.mixin.ts";
import type { SealsState } from "../../../mixins/seals.mixin.ts";
import type { Proposals } from "./proposals.ts";

/** What the staff service has for moves of money. */
export interface ProposalsState extends MysqlState, SealsState {
  proposals: Proposals;
  proposalJob: LeasedLoop;
  proposalGauges: BackgroundLoop;
}
