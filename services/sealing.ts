import { operatorAuditMixin } from "../mixins/operator-audit.mixin.ts";
import { sealsMixin } from "../mixins/seals.mixin.ts";
import { bookKeys } from "./book-keys.ts";
import { type SealingService, sealedLedgers } from "./book-seals.ts";
import { durableEvent } from "./durable-event.ts";
import { sealedEvents } from "./sealed-event.ts";

/**
 * The seals of the wallet on a further server; the events of their checkpoints name it. No seal can be carried from one
 * server to another: it has the ids of its rows, which are of one server.
 */
export const ledgerSealsOn = (server: string) =>
  sealsMixin({
    service: "wallet",
    keys: () => bookKeys("wallet"),
    messageOf: (data, time) =>
      durableEvent("books.sealed", `${server}:${data.number}`, { ...data, heads: [...data.heads], server }, time),
  });

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
