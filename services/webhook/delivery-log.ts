import { fail } from "../../broker/failure.ts";
import { limits } from "../../config/limits.ts";
import type { Database } from "../../mixins/mysql/database.ts";
import { endedOf, isDeliveryOf, type LoggedDelivery, logPage } from "./delivery-reads-store.ts";
import type { DeliveryState } from "./delivery-state.ts";
import { makeAgain } from "./delivery-store.ts";
import { firstMessageSince, timeOfMessage } from "./message-store.ts";
import { requireWebhook } from "./subscriptions.ts";
import type { DeliveryStatus, DeliveryView } from "./webhook.contract.ts";
import type { Webhook } from "./webhook-store.ts";

const statesOf: Readonly<Record<DeliveryStatus, readonly DeliveryState[]>> = {
  waiting: ["queued", "due"],
  succeeded: ["succeeded"],
  failed: ["failed"],
};

function shown(delivery: LoggedDelivery): DeliveryView {
  const { id: deliveryId, messageId, event, state, tries, durationMs, httpStatus, failure, answer } = delivery;
  return {
    ...{ deliveryId, messageId, event },
    status: state === "queued" || state === "due" ? "waiting" : state,
    time: delivery.time.toISOString(),
    tries,
    nextTime: state === "due" ? delivery.nextTime.toISOString() : null,
    lastTime: delivery.lastTime?.toISOString() ?? null,
    ...{ durationMs, httpStatus, failure, answer },
  };
}

interface LogQuery {
  readonly webhookId: string;
  readonly status?: DeliveryStatus | undefined;
  readonly cursor?: string | undefined;
  readonly limit: number;
}

/** See `webhook.deliveries`. */
export async function deliveries(
  mysql: Database,
  { webhookId, status, cursor: before, limit }: LogQuery,
): Promise<{ list: DeliveryView[]; nextCursor: string | null }> {
  await requireWebhook(mysql, webhookId);
  const among = status && statesOf[status];
  // One more shows whether there is another page.
  const found = await logPage(mysql, { webhookId, among, before, limit: limit + 1 });
  const page = found.slice(0, limit);
  return { list: page.map(shown), nextCursor: found.length > limit ? (page.at(-1)?.message ?? null) : null };
}

interface Replay {
  readonly webhookId: string;
  readonly deliveryId?: string | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

/** See `webhook.replay`. */
export async function replay(
  mysql: Database,
  { webhookId, deliveryId, from, to }: Replay,
): Promise<{ replayed: number; nextFrom: string | null }> {
  const span = spanOf(from, to);
  // One or the other.
  if ((deliveryId === undefined) !== (span !== undefined)) throw fail("invalidParam", { field: "deliveryId" });
  const webhook = await requireWebhook(mysql, webhookId);
  if (deliveryId === undefined) return replaySpan(mysql, webhook, span as Span);
  if (!(await isDeliveryOf(mysql, webhookId, deliveryId))) throw fail("deliveryUnknown", { deliveryId });
  return { replayed: await again(mysql, webhook, [deliveryId]), nextFrom: null };
}

interface Span {
  readonly from: Date;
  readonly to: Date;
}

/** `undefined` where neither is given. @throws invalidParam */
function spanOf(from: string | undefined, to: string | undefined): Span | undefined {
  if (from === undefined && to === undefined) return undefined;
  if (from === undefined || to === undefined) throw fail("invalidParam", { field: from === undefined ? "from" : "to" });
  const span = { from: new Date(from), to: new Date(to) };
  if (span.from >= span.to) throw fail("invalidParam", { field: "to" });
  return span;
}

function again(mysql: Database, { orderBy }: Webhook, ids: readonly string[]): Promise<number> {
  return mysql.transaction((tx) => makeAgain(tx, ids, { isOrdered: orderBy !== "none" }));
}

async function replaySpan(mysql: Database, webhook: Webhook, { from, to }: Span) {
  const { removedRows, replayedRows } = limits.webhook;
  let first = await firstMessageSince(mysql, from);
  const end = await firstMessageSince(mysql, to);
  let replayed = 0;
  while (first !== undefined) {
    // The one more than fits is where to go on.
    const most = Math.min(removedRows, replayedRows - replayed);
    const found = await endedOf(mysql, webhook.id, { from: first, to: end, limit: most + 1 });
    const rows = found.slice(0, most);
    if (rows.length > 0) {
      const ids = rows.map(({ id }) => id);
      replayed += await again(mysql, webhook, ids);
    }
    first = found[most]?.message;
    if (first !== undefined && replayed >= replayedRows)
      return { replayed, nextFrom: (await timeOfMessage(mysql, first))?.toISOString() ?? null };
  }
  return { replayed, nextFrom: null };
}
