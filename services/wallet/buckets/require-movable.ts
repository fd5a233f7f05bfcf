import { fail } from "../../../broker/failure.ts";
import { whilePresent } from "../../../mixins/mysql/server-presence.ts";
import { gateOn } from "./gate-store.ts";
import type { LedgerServer } from "./ledger-servers.ts";

interface WantedMove {
  readonly bucket: number;
  readonly source: LedgerServer;
  readonly target: LedgerServer;
  /** Of the map, and of the target's gate, once it is done. */
  readonly revision: number;
}

/**
 * Before a move is planned: its first step closes the source's gate at the map's revision, and its last opens the target's at
 * the new one. Where one of these would fail, the bucket would stay closed half-way. Fails: unavailable, where a server
 * is away, or a gate is not as the map says.
 */
export async function requireMovable({ bucket, source, target, revision }: WantedMove): Promise<void> {
  const gates = [source, target].map(({ view, presence }) => whilePresent(presence, () => gateOn(view.mysql, bucket)));
  const [from, to] = await Promise.all(gates);
  const isReady = from?.isOpen === true && from.revision === revision - 1 && to && !to.isOpen && to.revision < revision;
  if (isReady) return;
  const cause = `the gates of bucket ${bucket} are not as the map says: npm run buckets -- repair ${bucket}`;
  throw fail("unavailable", { cause });
}
