import type { ServiceBroker } from "moleculer";
import type { Connection } from "mysql2/promise";
import { createConnection } from "mysql2/promise";
import { connect, type NatsConnection } from "nats";
import { natsOptions } from "../../../broker/nats-options.ts";
import { config, databaseName, natsPrefix } from "../../../config/config.ts";
import { call } from "../../../services/contracts.ts";
import { durableEvent } from "../../../services/durable-event.ts";
import type { RankJob } from "../../../services/rank/rank.contract.ts";
import { eventually } from "../../support/eventually.ts";

/** Gifts as the gift service leaves them: rows of its records, and the event of them. */

export interface MadeGift {
  recordId: string;
  senderId: string;
  receiverId: string;
  roomId: number;
  count: number;
  price: number;
  time: string;
  status: "succeeded" | "failed";
}

let ids = 0;
/** A user, room or record id of this test file alone. */
export const newId = (): number => ++ids + 1_000;

export function gift(changes: Partial<MadeGift> = {}): MadeGift {
  const recordId = String(newId());
  return {
    ...{ recordId, senderId: String(newId()), receiverId: String(newId()), roomId: newId(), count: 1, price: 10 },
    ...{ time: new Date().toISOString(), status: "succeeded" as const },
    ...changes,
  };
}

const orderOf = ({ recordId }: MadeGift) => `order-${recordId}`;

/** The gift database, and JetStream, past the services. */
export class Books {
  readonly database: Connection;
  readonly nats: NatsConnection;
  private published = 0;

  private constructor(database: Connection, nats: NatsConnection) {
    this.database = database;
    this.nats = nats;
  }

  static async open(): Promise<Books> {
    const options = { uri: config().MYSQL_URL, timezone: "Z", supportBigNumbers: true, bigNumberStrings: true };
    return new Books(await createConnection(options), await connect(natsOptions("test")));
  }

  async close(): Promise<void> {
    await Promise.all([this.database.end(), this.nats.close()]);
  }

  async record(gifts: readonly MadeGift[]): Promise<void> {
    await this.database.query(
      `INSERT INTO ${databaseName("gift")}.t_gift_record (id, order_id, user_id, object_id, room_id, gift_id, count,
         price, status, reason, income_points, content_hash, send_time) VALUES ?`,
      [
        gifts.map((one) => [
          ...[one.recordId, orderOf(one), one.senderId, one.receiverId, one.roomId, 22, one.count, one.price],
          ...[one.status === "succeeded" ? 1 : 0, one.status === "succeeded" ? null : "balanceShort", 0, "h"],
          new Date(one.time),
        ]),
      ],
    );
  }

  /** One event with all of the gifts. */
  async publish(gifts: readonly MadeGift[], change: (gift: object) => object = (one) => one): Promise<void> {
    const settled = gifts.map((one) => ({
      ...{ orderId: orderOf(one), giftId: 22, income: 0, incomePoints: 0, type: 0, url: "" },
      ...change({ ...one }),
    }));
    const { subject, payload } = durableEvent("gift.settled", `test-${++this.published}`, { gifts: settled as never });
    await this.nats.jetstream().publish(natsPrefix() + subject, JSON.stringify(payload));
  }

  async settle(gifts: readonly MadeGift[]): Promise<void> {
    await this.record(gifts);
    await this.publish(gifts);
  }
}

/** Resolves to a rebuild or a verification that has ended. */
export function ended<J extends "rebuild" | "verification">(caller: ServiceBroker, job: J, timeoutMs = 15_000) {
  let last = "";
  return eventually(
    `the ${job} has ended`,
    async () => {
      const status = await call(caller, "rank.status", {});
      const found = status[job] as (RankJob & { differences?: number | null; shown?: string[] }) | null;
      last = JSON.stringify(found);
      return found && found.state !== "running" ? found : undefined;
    },
    timeoutMs,
  ).catch((error: Error) => {
    throw new Error(`${error.message}: ${last}`);
  });
}

/** Asks for a verification and resolves to its outcome. */
export async function verified(caller: ServiceBroker, timeoutMs?: number) {
  await call(caller, "rank.verify", {});
  return ended(caller, "verification", timeoutMs);
}
