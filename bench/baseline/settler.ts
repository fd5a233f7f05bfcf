import { randomUUID } from "node:crypto";
import type { Redis } from "ioredis";
import type { Pool } from "mysql2/promise";
import { connect, type NatsConnection } from "nats";
import { adminOptions } from "../../broker/nats-options.ts";
import { natsPrefix } from "../../config/config.ts";
import { openRedis } from "../../mixins/redis.mixin.ts";
import type { AcceptedGift } from "../../services/gift/accepted-gift.ts";
import { chargeAndRecord, openPool, readBalance } from "./gift-transaction.ts";
import { baselineDurable, baselineStream } from "./queue.ts";

/*
 * The usual design of settling gifts, written as well as possible: several consumers that each handle one gift at a
 * time, a lock per user in Redis, a balance cached there, one transaction for each gift (debit, trade, record, the
 * anchor's income) and one publication to the room. It publishes no event for other services, as the product does, so
 * the comparison favours it.
 */

const lockMs = 1_000;
const lockRetryMs = 20;
const balanceLifeS = 3_600;
/** Messages that are fetched ahead, so that no consumer waits for one. */
const prefetch = 256;

/** Purpose: removes a lock of this owner. KEYS[1] the lock, ARGV[1] the owner's token. Replies 1 where it was its lock. */
const unlockScript = `if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0`;

const lockKey = (userId: string) => `baseline:lock:${userId}`;
export const balanceKey = (userId: string) => `baseline:balance:${userId}`;

export interface Means {
  nats: NatsConnection;
  redis: Redis;
  pool: Pool;
}

async function lock(redis: Redis, userId: string): Promise<string> {
  const token = randomUUID();
  for (;;) {
    if ((await redis.set(lockKey(userId), token, "PX", lockMs, "NX")) === "OK") return token;
    await new Promise((resolve) => setTimeout(resolve, lockRetryMs));
  }
}

async function cachedBalance({ redis, pool }: Means, userId: string): Promise<number> {
  const cached = await redis.get(balanceKey(userId));
  if (cached !== null) return Number(cached);
  const balance = await readBalance(pool, userId);
  await redis.set(balanceKey(userId), balance, "EX", balanceLifeS);
  return balance;
}

/**
 * Charges and records a gift and publishes it to its room; `done` is called while the user's lock is still held. Returns
 * whether it was paid.
 */
export async function settleGift(means: Means, gift: AcceptedGift, done: () => void): Promise<boolean> {
  const amount = gift.price * gift.count;
  const token = await lock(means.redis, gift.senderId);
  try {
    const known = await cachedBalance(means, gift.senderId);
    const incomePoints = amount * gift.sharePercent;
    const paid = await chargeAndRecord(means.pool, gift, { incomePoints, refused: known < amount });
    if (paid) {
      await means.redis.decrby(balanceKey(gift.senderId), amount);
      const { orderId, senderId, receiverId, giftId, count, price, url } = gift;
      const effect = { orderId, senderId, receiverId, giftId, count, price, url };
      means.nats.publish(`${natsPrefix()}baseline.room.${gift.roomId}`, JSON.stringify(effect));
    }
    done();
    return paid;
  } finally {
    await means.redis.eval(unlockScript, 1, lockKey(gift.senderId), token);
  }
}

/** Opens the connections of this process, so that the first gift waits for none; `pooled` of them to the database. */
export async function openMeans(pooled: number): Promise<Means> {
  const redis = openRedis("baseline");
  await redis.connect();
  const pool = openPool(pooled);
  const opened = await Promise.all(Array.from({ length: pooled }, () => pool.getConnection()));
  for (const connection of opened) connection.release();
  return { nats: await connect(adminOptions("baseline")), redis, pool };
}

export async function closeMeans({ nats, redis, pool }: Means): Promise<void> {
  await pool.end();
  redis.disconnect();
  await nats.close();
}

export interface BaselineWorkers {
  /** Starts consuming gifts. */
  begin(): Promise<void>;
  stop(): Promise<void>;
}

/** Opens the consumers of this process. */
export async function openWorkers(consumers: number): Promise<BaselineWorkers> {
  const means = await openMeans(consumers);
  const consumer = await means.nats.jetstream().consumers.get(natsPrefix() + baselineStream.name, baselineDurable);
  let stop = async () => {};
  return {
    async begin() {
      const messages = await consumer.consume({ max_messages: prefetch });
      const iterator = messages[Symbol.asyncIterator]();
      const work = async () => {
        for (let next = await iterator.next(); !next.done; next = await iterator.next()) {
          const message = next.value;
          await settleGift(means, message.json<AcceptedGift>(), () => message.ack());
        }
      };
      const working = Promise.all(Array.from({ length: consumers }, work));
      // `stop` rejects with it too, but perhaps long after the gifts have stopped.
      working.catch((error: unknown) => process.stderr.write(`the baseline failed: ${String(error)}\n`));
      stop = async () => {
        messages.stop();
        await working;
      };
    },
    async stop() {
      await stop();
      await closeMeans(means);
    },
  };
}
