import { newestFirst } from "../newest-first.ts";
import type { LedgerServers } from "./buckets/ledger-servers.ts";
import type { ShownPosting } from "./staff.contract.ts";
import { postingsOfAnchor, timeOfPosting } from "./story-store.ts";

interface Asked {
  readonly userId: string;
  readonly cursor?: string | undefined;
  readonly limit: number;
}

/** An anchor's postings on all servers, newest first: she earns on those of the senders. */
export async function postingsOn(
  servers: LedgerServers,
  asked: Asked,
): Promise<{ list: ShownPosting[]; nextCursor: string | null }> {
  if (!servers.isSeveral) return postingsOfAnchor(servers.all[0].view.mysql, asked);
  const { cursor, limit } = asked;
  const own = cursor === undefined ? undefined : servers.ofId(cursor);
  const at = cursor && own ? await timeOfPosting(own.view.mysql, cursor) : undefined;
  if (cursor !== undefined && !at) return { list: [], nextCursor: null };
  const pages = await servers.each((db, server) =>
    postingsOfAnchor(db, { ...asked, at: server === own ? undefined : at }),
  );
  const joined = newestFirst(
    pages.map(({ list }) => list),
    ({ createTime }) => createTime,
    limit,
  );
  const count = pages.reduce((sum, { list, nextCursor }) => sum + list.length + (nextCursor === null ? 0 : 1), 0);
  return { list: joined, nextCursor: count > joined.length ? (joined.at(-1)?.id ?? null) : null };
}
