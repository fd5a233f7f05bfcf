import type { Log } from "../../broker/log.ts";
import { limits } from "../../config/limits.ts";
import { BackgroundLoop } from "../../mixins/background-loop.ts";
import type { Database } from "../../mixins/mysql/database.ts";
import { nextOfKeys } from "./delivery-reads-store.ts";
import { promote } from "./delivery-store.ts";
import { fenceLeases } from "./lease-store.ts";
import type { Webhook } from "./webhook-store.ts";

interface Parts {
  readonly mysql: Pick<Database, "query" | "run" | "transaction">;
  /** The holder of the leases. */
  readonly holder: string;
  readonly lookEveryMs: number;
  readonly log: Log;
  /** The subscriptions of this node. */
  owned(): readonly Pick<Webhook, "id" | "orderBy">[];
  /** Deliveries became due. */
  promoted(): void;
}

/**
 * Makes the first deliveries of rooms and users due, of which none is: new ones, and those of replays. In a loop of its
 * own, since subscriptions without an order do not wait for it. One that cannot be read holds up no other.
 */
export class KeyPromotion {
  private readonly parts: Parts;
  private readonly loop: BackgroundLoop;
  /** Until when the keys of a subscription are not looked at again. */
  private readonly restUntil = new Map<string, number>();

  constructor(parts: Parts) {
    this.parts = parts;
    const { lookEveryMs, log } = parts;
    this.loop = new BackgroundLoop({
      ...{ name: "rooms and users of ordered webhooks", idleMs: lookEveryMs, errorBackoffMs: lookEveryMs, log },
      round: () => this.round(),
    });
  }

  /** Deliveries may have come in. */
  wake(): void {
    this.loop.wake();
  }

  /** Resolves once the running round is over. */
  async stop(): Promise<void> {
    await this.loop.stop();
  }

  private async round(): Promise<boolean> {
    const { mysql, holder, owned, promoted } = this.parts;
    const ordered = owned().filter(({ orderBy }) => orderBy !== "none");
    const ids = ordered.map(({ id }) => id);
    for (const id of this.restUntil.keys()) if (!ids.includes(id)) this.restUntil.delete(id);
    const now = performance.now();
    const looked = ids.filter((id) => now >= (this.restUntil.get(id) ?? 0));
    const { keyLooks } = limits.webhook;
    for (let from = 0; from < looked.length; from += keyLooks) {
      const read = await Promise.all(looked.slice(from, from + keyLooks).map((id) => this.nextOf(id)));
      const found = read.filter(({ next }) => next.length > 0);
      if (found.length === 0) continue;
      await mysql.transaction(async (tx) => {
        const leases = found.map(({ id }) => id).sort();
        const held = await fenceLeases(tx, holder, leases);
        await promote(
          tx,
          found.filter(({ id }) => held.has(id)).flatMap(({ next }) => next),
        );
      });
      promoted();
    }
    return false;
  }

  /** A look that takes long, since there are many keys, is rarer. */
  private async nextOf(id: string): Promise<{ id: string; next: readonly string[] }> {
    const { mysql, lookEveryMs, log } = this.parts;
    const startedAt = performance.now();
    try {
      return { id, next: await nextOfKeys(mysql, id) };
    } catch (err) {
      log.warn({ err, webhookId: id }, "the next deliveries of an ordered webhook could not be read: tried again");
      return { id, next: [] };
    } finally {
      const tookMs = performance.now() - startedAt;
      const restMs = Math.max(lookEveryMs, tookMs * limits.webhook.keysRestFactor);
      this.restUntil.set(id, performance.now() + restMs - limits.webhook.lookAgainMs);
    }
  }
}
