import { operatorAuditMixin } from "../mixins/operator-audit.mixin.ts";
import { sealsMixin } from "../mixins/seals.mixin.ts";
import { bookKeys } from "./book-keys.ts";
import { type SealingService, sealedLedgers } from "./book-seals.ts";
import { durableEvent } from "./durable-event.ts";
import { sealedEvents } from "./sealed-event.ts";

/**
 * The mixins of a service that seals rows: the seals with its keys and its event, and the audit of operators' calls,
 * whose rows are sealed. They come after mysqlMixin and outboxMixin.
 */
export function sealedAudit(service: SealingService) {
  const seals = sealsMixin({
    service,
    keys: () => bookKeys(service),
    messageOf: (data, time) =>
      durableEvent(sealedEvents[service], String(data.number), { ...data, heads: [...data.heads] }, time),
  });
  return [seals, operatorAuditMixin(sealedLedgers[`${service}Audit`])];
}
