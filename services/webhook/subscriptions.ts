import { createHash } from "node:crypto";
import { fail } from "../../broker/failure.ts";
import { limits } from "../../config/limits.ts";
import { type Database, isDuplicateKey } from "../../mixins/mysql/database.ts";
import type { SealedSecrets } from "../sealed-secrets.ts";
import { webhookEventNames } from "../webhook-events.ts";
import { addLease } from "./lease-store.ts";
import { lockStore } from "./message-store.ts";
import { newSecret } from "./secrets.ts";
import type { OrderBy, WebhookView } from "./webhook.contract.ts";
import {
  allWebhooks,
  changeWebhook,
  disable,
  enable,
  findWebhook,
  insertWebhook,
  lockWebhook,
  markDeleted,
  rotateSecret,
  setSecret,
  type Webhook,
  webhookOfWrite,
} from "./webhook-store.ts";

interface Parts {
  readonly mysql: Database;
  readonly secrets: SealedSecrets;
}

const known: ReadonlySet<string> = new Set(webhookEventNames);

function requireKnown(events: readonly string[]): void {
  if (!events.every((name) => known.has(name))) throw fail("invalidParam", { field: "events" });
}

const different = (events: readonly string[]) => [...new Set(events)];
const isoOrNull = (time: Date | null) => time?.toISOString() ?? null;

/** @throws webhookUnknown */
export async function requireWebhook(mysql: Pick<Database, "query" | "run">, webhookId: string): Promise<Webhook> {
  const webhook = await findWebhook(mysql, webhookId);
  if (!webhook) throw fail("webhookUnknown", { webhookId });
  return webhook;
}

export function shown(webhook: Webhook): WebhookView {
  const { id: webhookId, url, description, events, orderBy, enabled, disabledReason, waiting, dropped } = webhook;
  return {
    ...{ webhookId, url, description, events: [...events], orderBy, enabled, disabledReason },
    disabledTime: isoOrNull(webhook.disabledTime),
    failingSince: isoOrNull(webhook.failingSince),
    ...{ waiting, dropped },
    droppedTime: isoOrNull(webhook.droppedTime),
    createTime: webhook.createTime.toISOString(),
  };
}

interface Wanted {
  readonly url: string;
  readonly events: readonly string[];
  readonly orderBy: OrderBy;
  readonly description: string;
  readonly writeId?: string | undefined;
}

/** What a write asks for; the same in its repeats. */
function contentOf({ url, events, orderBy, description }: Wanted): string {
  const content = JSON.stringify([url, description, different(events), orderBy]);
  return createHash("sha256").update(content).digest("hex");
}

/** See `webhook.create`. */
export async function create(
  { mysql, secrets }: Parts,
  params: Wanted,
): Promise<{ webhookId: string; secret: string }> {
  const { url, events, orderBy, description, writeId } = params;
  const writeContent = writeId ? contentOf(params) : null;
  // Idempotency keys are kept for some days only: an old one that is used again must not show another's secret.
  const answer = (webhook: Webhook) => {
    if (webhook.writeContent !== writeContent) throw fail("idempotencyConflict", { webhookId: webhook.id });
    return { webhookId: webhook.id, secret: secrets.open(webhook.secrets[0] as string, webhook.id) };
  };
  const first = writeId && (await webhookOfWrite(mysql, writeId));
  if (first) return answer(first);
  requireKnown(events);
  const secret = newSecret();
  try {
    const webhookId = await mysql.transaction(async (tx) => {
      // Two at once must not exceed the bound together.
      await lockStore(tx);
      if ((await allWebhooks(tx)).length >= limits.webhook.subscriptions) throw fail("webhookLimit");
      const wanted = { url, description, events: different(events), orderBy, writeId: writeId ?? null, writeContent };
      const id = await insertWebhook(tx, wanted);
      await setSecret(tx, id, secrets.seal(secret, id));
      await addLease(tx, id);
      return id;
    });
    return { webhookId, secret };
  } catch (error) {
    // A repeat that ran at the same time was first.
    if (!writeId || !isDuplicateKey(error)) throw error;
    const other = await webhookOfWrite(mysql, writeId);
    // A node of a database cluster may show a commit of another one a little later.
    if (!other) throw fail("unavailable", { writeId });
    return answer(other);
  }
}

interface Change extends Partial<Omit<Wanted, "writeId">> {
  readonly webhookId: string;
  readonly enabled?: boolean | undefined;
}

/** See `webhook.update`. */
export async function update({ mysql }: Pick<Parts, "mysql">, change: Change): Promise<WebhookView> {
  const { webhookId, enabled } = change;
  if (change.events) requireKnown(change.events);
  const webhook = await mysql.transaction(async (tx) => {
    const before = await lockWebhook(tx, webhookId);
    if (!before) throw fail("webhookUnknown", { webhookId });
    await changeWebhook(tx, webhookId, {
      url: change.url ?? before.url,
      description: change.description ?? before.description,
      events: different(change.events ?? before.events),
      orderBy: change.orderBy ?? before.orderBy,
    });
    if (enabled === true) await enable(tx, webhookId);
    if (enabled === false) await disable(tx, webhookId, "asked");
    return findWebhook(tx, webhookId);
  });
  return shown(webhook as Webhook);
}

/** See `webhook.delete`. */
export async function remove({ mysql }: Pick<Parts, "mysql">, webhookId: string): Promise<null> {
  if (!(await mysql.transaction((tx) => markDeleted(tx, webhookId)))) throw fail("webhookUnknown", { webhookId });
  return null;
}

/** See `webhook.rotate`. */
export async function rotate(
  { mysql, secrets }: Parts,
  { webhookId, writeId }: { webhookId: string; writeId?: string | undefined },
): Promise<{ secret: string }> {
  return mysql.transaction(async (tx) => {
    const webhook = await lockWebhook(tx, webhookId);
    if (!webhook) throw fail("webhookUnknown", { webhookId });
    if (writeId && webhook.rotationId === writeId)
      return { secret: secrets.open(webhook.secrets[0] as string, webhookId) };
    const secret = newSecret();
    await rotateSecret(tx, webhookId, { sealed: secrets.seal(secret, webhookId), writeId: writeId ?? null });
    return { secret };
  });
}

/** See `webhook.list`: there are few, so a page is cut from all of them. */
export async function list(
  { mysql }: Pick<Parts, "mysql">,
  { cursor, limit }: { cursor?: string | undefined; limit: number },
): Promise<{ list: WebhookView[]; nextCursor: string | null }> {
  const all = await allWebhooks(mysql);
  const from = cursor === undefined ? all : all.filter(({ id }) => BigInt(id) > BigInt(cursor));
  const page = from.slice(0, limit);
  return { list: page.map(shown), nextCursor: from.length > limit ? (page.at(-1)?.id ?? null) : null };
}
