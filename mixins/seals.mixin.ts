import type { Service } from "moleculer";
import type { NamedKeys } from "../config/named-keys.ts";
import type { MysqlState } from "./mysql.mixin.ts";
import type { OutboxState } from "./outbox.mixin.ts";
import { Checkpoints, type MessageOf } from "./seals/checkpoints.ts";
import { SealChains } from "./seals/seal-chains.ts";

/** The state that the mixin adds to a service. */
export interface SealsState {
  seals: SealChains;
}

interface Sealed {
  readonly service: string;
  /** Reads the service's keys. @throws Error that lists the problems of its settings */
  keys(): NamedKeys;
  /** The event of a checkpoint. */
  readonly messageOf: MessageOf;
}

/**
 * Seals rows of a service's tables that are only added to: its transactions go through `seals`. One node at a time joins
 * the heads of the chains every minute and publishes them. A node without keys does not start. Needs mysqlMixin (with
 * `mixins/seals/migrations`) and outboxMixin before it.
 */
export function sealsMixin({ service, keys, messageOf }: Sealed) {
  return {
    created(this: { bookKeys: NamedKeys }) {
      this.bookKeys = keys();
    },
    started(this: Service & MysqlState & OutboxState & SealsState & { bookKeys: NamedKeys; checkpoints: Checkpoints }) {
      const sealer = { service, keys: this.bookKeys };
      this.seals = new SealChains(sealer);
      this.checkpoints = new Checkpoints(this, sealer, messageOf);
    },
    async stopped(this: { checkpoints?: Checkpoints }) {
      await this.checkpoints?.stop();
    },
  };
}
