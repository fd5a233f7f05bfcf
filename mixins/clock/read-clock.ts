import type { JetStreamManager } from "nats";
import { type Skew, skewOf } from "./skew.ts";

/** Reads the clocks of servers, each beside this node's own. */

/** Reads one server's clock. `ask` resolves with its time, ms since 1970. Rejects as `ask`. */
export async function readClock(server: string, ask: () => Promise<number>): Promise<Skew> {
  const [at, since] = [Date.now(), performance.now()];
  const serverMs = await ask();
  return skewOf(server, serverMs, { at, tookMs: performance.now() - since });
}

/** What a clock is read from: a connection to MySQL. */
export interface TimeQuery {
  query<Row extends object>(sql: string): Promise<Row[]>;
}

/** MySQL's time as the services store it. Fails: unavailable. */
export async function mysqlTime(db: TimeQuery): Promise<number> {
  const [row] = await db.query<{ time: Date | string }>("SELECT UTC_TIMESTAMP(6) AS time");
  return new Date(row?.time ?? Number.NaN).getTime();
}

/** Redis' time. Fails: unavailable. */
export async function redisTime(redis: { time(): Promise<(number | string)[]> }): Promise<number> {
  const [seconds, micros] = await redis.time();
  return Number(seconds) * 1_000 + Number(micros) / 1_000;
}

/**
 * The clocks of the servers that lead these streams, since their time is that of the messages. nats-server tells it from
 * 2.10 on; of an older one there is no reading (the battle service reads it by messages of its own). What cannot be asked
 * is left out.
 */
export async function streamClocks(
  manager: Pick<JetStreamManager, "streams">,
  names: readonly string[],
): Promise<Skew[]> {
  const timeOf = async (name: string) => {
    // The client's type does not have the time of the answer.
    const { ts } = (await manager.streams.info(name)) as { ts?: string };
    return Date.parse(ts ?? "");
  };
  const readings = names.map((name) => readClock(name, () => timeOf(name)));
  const settled = await Promise.allSettled(readings);
  return settled.flatMap((one) => (one.status === "fulfilled" && Number.isFinite(one.value.ms) ? [one.value] : []));
}
