import type { Context, Service } from "moleculer";
import { fail } from "../../../broker/failure.ts";
import { nodesOffering } from "../../../broker/service-nodes.ts";
import { limits } from "../../../config/limits.ts";
import { call } from "../../contracts.ts";
import { externalRooms } from "../../external-rooms.ts";
import { directoryOf } from "./directory.ts";
import { IdempotentWrites } from "./idempotent-writes.ts";
import { KeyCopy } from "./key-copy.ts";
import type { Directory } from "./people.ts";
import { PlatformWrites } from "./platform-writes.ts";

export interface ServerApiState {
  serverApi: {
    readonly keys: KeyCopy;
    readonly writes: IdempotentWrites;
    readonly directory: Directory;
  };
}

/**
 * What the server API needs of a gateway node. The node is ready without the platform service: users do not need it, and
 * without it the server API alone answers 503.
 */
export const serverApiMixin = {
  events: {
    "platform.keys-changed": {
      handler(this: Service & Partial<ServerApiState>) {
        this.serverApi?.keys.wake();
      },
    },
    "living-room.changed": {
      handler(this: Service, ctx: Context<{ roomId: number }>) {
        externalRooms(this.broker).forget(ctx.params.roomId);
      },
    },
    "$services.changed": {
      handler(this: Service & Partial<ServerApiState>) {
        this.serverApi?.keys.wake();
      },
    },
  },

  started(this: Service & Partial<ServerApiState>) {
    const { broker, logger } = this;
    const options = { timeout: limits.platform.keysCallMs, tracking: false } as const;
    // Without a node Moleculer would log each try.
    const page = async (known: { revision: number; after: string }) => {
      if (nodesOffering(broker, "platform").length === 0)
        throw fail("unavailable", { why: "no platform node is there" });
      return call(broker, "platform.keysSince", known, options);
    };
    this.serverApi = {
      keys: new KeyCopy({ page, log: logger }),
      writes: new IdempotentWrites({ platform: new PlatformWrites(broker), log: logger }),
      directory: directoryOf(broker),
    };
  },

  async stopped(this: Service & Partial<ServerApiState>) {
    await this.serverApi?.keys.stop();
  },
};
