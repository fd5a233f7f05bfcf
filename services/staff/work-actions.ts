import type { Service } from "moleculer";
import type { MysqlState } from "../../mixins/mysql.mixin.ts";
import { auditedWork } from "../../mixins/operator-audit.mixin.ts";
import type { SealsState } from "../../mixins/seals.mixin.ts";
import { sealedLedgers } from "../book-seals.ts";
import { type ActionName, call } from "../contracts.ts";
import type { ActionDefinitions } from "../define-service.ts";
import type { Right } from "../staff-roles.ts";
import { carriedOut } from "./carried-out.contract.ts";
import { cutParams } from "./cut-params.ts";
import { handledPage } from "./dead-letters/dead-letter-store.ts";
import { handleDeadLetter } from "./dead-letters/dead-letters.ts";
import { countProposals } from "./proposals/proposal-count-store.ts";
import { callerWith } from "./sessions.ts";
import type { staffActions } from "./staff.contract.ts";

type Actions = Pick<
  typeof staffActions,
  "replayDeadLetter" | "giveUpDeadLetter" | "handledDeadLetters" | "figures" | "carryOut"
>;

type Carried = { readonly action: ActionName; readonly right: Right; readonly notedHere?: boolean };

interface Noted {
  readonly person: string;
  /** What is done. */
  readonly action: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly requestID: string | null;
}

/**
 * Carries out what leaves no sealed row elsewhere, between two rows of this service's operator audit: a door that was
 * taken over may leave out `staff.begin`, and what it did in a person's name is known all the same.
 */
function noted<Result>(
  staff: Service & MysqlState & SealsState,
  { person, action, params, requestID }: Noted,
  work: () => Promise<Result>,
): Promise<Result> {
  const about = { operator: `staff:${person}`, action, params: cutParams(params), requestId: requestID };
  return auditedWork(staff, sealedLedgers.staffAudit, about, work);
}

/** What persons do about dead letters and have carried out, which checks session and right, and what waits for them. */
export const workActions: ActionDefinitions<Service & MysqlState & SealsState, Actions> = {
  replayDeadLetter: {
    async handler({ params: { session, ...wanted }, requestID }) {
      const { name: person } = await callerWith(this.mysql, session, "deadLetters");
      return noted(this, { person, action: "staff.replayDeadLetter", params: wanted, requestID }, () =>
        handleDeadLetter(this, { ...wanted, decision: "replay", person, requestId: requestID }),
      );
    },
  },
  giveUpDeadLetter: {
    async handler({ params: { session, ...wanted }, requestID }) {
      const { name: person } = await callerWith(this.mysql, session, "deadLetters");
      return noted(this, { person, action: "staff.giveUpDeadLetter", params: wanted, requestID }, () =>
        handleDeadLetter(this, { ...wanted, keyIsBack: false, decision: "giveUp", person, requestId: requestID }),
      );
    },
  },
  handledDeadLetters: {
    handler({ params }) {
      return handledPage(this.mysql, params);
    },
  },
  carryOut: {
    async handler(ctx) {
      const { session, what, params } = ctx.params;
      const { action, right, notedHere = false }: Carried = carriedOut[what];
      const { name: person } = await callerWith(this.mysql, session, right);
      const carryOut = () => call(ctx, action, { ...params, operator: `staff:${person}` } as never);
      return notedHere ? noted(this, { person, action, params, requestID: ctx.requestID }, carryOut) : carryOut();
    },
  },
  figures: {
    async handler() {
      return { openProposals: (await countProposals(this.mysql)).open };
    },
  },
};
