import type { Service } from "moleculer";
import type { NamedKeys } from "../config/named-keys.ts";
import type { BackgroundLoop } from "./background-loop.ts";
import { type Gauge, keepGauges } from "./gauges.ts";
import type { MysqlState } from "./mysql.mixin.ts";
import type { OutboxState } from "./outbox.mixin.ts";
import { Checkpoints, type MessageOf } from "./seals/checkpoints.ts";
import { SealChains } from "./seals/seal-chains.ts";
import { unjoinedForMs } from "./seals/seal-store.ts";

/** The state that the mixin adds to a service. */
export interface SealsState {
  seals: SealChains;
}

const unjoined = {
  name: "ovation.seals.unjoined",
  description: "Time since the last checkpoint of the seals, while there is a newer seal; else 0",
  unit: "second",
} as const satisfies Gauge;

type Sealing = Service & MysqlState & OutboxState & SealsState;

interface Kept {
  bookKeys: NamedKeys;
  checkpoints: Checkpoints;
  sealGauges: BackgroundLoop;
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
    started(this: Sealing & Kept) {
      const sealer = { service, keys: this.bookKeys };
      this.seals = new SealChains(sealer);
      this.checkpoints = new Checkpoints(this, sealer, messageOf);
      this.sealGauges = keepGauges(this, [unjoined], async () => [
        { name: unjoined.name, value: (await unjoinedForMs(this.mysql)) / 1_000 },
      ]);
    },
    async stopped(this: Partial<Kept>) {
      await this.sealGauges?.stop();
      await this.checkpoints?.stop();
    },
  };
}
