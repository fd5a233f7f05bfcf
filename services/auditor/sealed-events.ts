import type { Service } from "moleculer";
import type { MysqlState } from "../../mixins/mysql.mixin.ts";
import { checkpointDigest, verdictOf } from "../../mixins/seals/seal-form.ts";
import type { BookKeys } from "../book-keys.ts";
import type { SealingService } from "../book-seals.ts";
import { checkedAnyway, onEvent } from "../durable-event.ts";
import { sealedEvents } from "../sealed-event.ts";
import { seenOf } from "./further-books.ts";
import { keepCheckpoint } from "./seen-seals-store.ts";

type Auditor = Service & MysqlState & { sealKeys: Readonly<Record<SealingService, BookKeys>> };

/** The consumer of a service's checkpoints: it keeps those that are valid by the service's keys. */
export function keepSealed(service: SealingService) {
  const event = sealedEvents[service];
  return onEvent<typeof event, Auditor>(
    event,
    async function ({ data }) {
      const { number, digest, key } = data;
      const verdict = verdictOf(this.sealKeys[service], key, digest, (bookKey) =>
        checkpointDigest(bookKey, { service, ...data }),
      );
      if (verdict !== "right") {
        const toDo =
          verdict === "unknownKey" ? "add the key to the service's, if it is one" : "find out who published it";
        this.logger.error({ event, number, key, digest, toDo }, "an event of seals has no valid digest: not kept");
        return;
      }
      const server = "server" in data ? data.server : undefined;
      const kept = await keepCheckpoint(server === undefined ? this.mysql : seenOf(this.mysql, server), service, data);
      if (kept !== digest)
        this.logger.error({ event, number, kept, digest }, "two events of seals with one number differ: one is forged");
    },
    { fromBooks: checkedAnyway },
  );
}
