import { type Empty, ErrorCode, type NatsConnection, RequestStrategy } from "nats";
import { natsClockSubject } from "../../broker/nats-names.ts";
import { limits } from "../../config/limits.ts";
import { type Skew, skewOf } from "./skew.ts";

/** Reads the clocks of servers, each beside this node's own. */

type Payload = typeof Empty;

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
 * The clocks of all servers of a NATS cluster that answer within `limits.clock.answerMs`; none where the login has not
 * the right to ask. Rejects with the client's error where the connection is away.
 */
export async function natsClocks(connection: NatsConnection): Promise<Skew[]> {
  const [at, since] = [Date.now(), performance.now()];
  const { answerMs, nextServerMs } = limits.clock;
  const found: Skew[] = [];
  try {
    const answers = await connection.requestMany(natsClockSubject, new Uint8Array() as Payload, {
      strategy: RequestStrategy.JitterTimer,
      maxWait: answerMs,
      jitter: nextServerMs,
    });
    for await (const answer of answers) {
      const tookMs = performance.now() - since;
      const told = answer.data.length === 0 ? undefined : serverTime(answer.json());
      if (told) found.push(skewOf(told.server, told.ms, { at, tookMs }));
    }
  } catch (error) {
    if (!refusals.has((error as { code?: unknown }).code)) throw error;
  }
  return found;
}

/** The login has not the right to ask, or the server has no account that answers. */
const refusals: ReadonlySet<unknown> = new Set([ErrorCode.PermissionsViolation, ErrorCode.NoResponders]);

function serverTime(answer: unknown): { server: string; ms: number } | undefined {
  const { server } = (answer ?? {}) as { server?: { name?: unknown; time?: unknown } };
  const ms = Date.parse(String(server?.time));
  return Number.isFinite(ms) ? { server: String(server?.name), ms } : undefined;
}
