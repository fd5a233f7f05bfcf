import { randomUUID } from "node:crypto";
import { fail } from "../../broker/failure.ts";
import { natsPrefix } from "../../config/config.ts";
import { type Skew, skewOf } from "../../mixins/clock/skew.ts";
import type { JetStreamPort } from "../../mixins/jetstream.mixin.ts";
import { battleStream } from "../streams.ts";

/** The messages that give a battle its times. */
export type Mark = "start" | "end";

/**
 * JetStream's clock: the only one that decides about battles, since gifts have their times from it too. It is read from
 * the timestamp of a stored message. Between readings it goes on with this process's monotonic clock, so no node's
 * time of day decides anything.
 */
export class BattleClock {
  private readonly jetstream: JetStreamPort;
  private readonly readSubject = `battle.clock.${randomUUID()}`;
  /** JetStream's time less that of `performance.now()`, ms: at the least, and at the most. */
  private offset: number | undefined;
  private mostOffset = Number.NaN;
  private readAt = Number.NEGATIVE_INFINITY;
  /** How far JetStream's clock is from this node's time of day, as of the last reading: for people. */
  skew: Skew | undefined;

  constructor(jetstream: JetStreamPort) {
    this.jetstream = jetstream;
  }

  /** JetStream's time in ms since 1970, as this node knows it. @throws Error before the first `read`. */
  now(): number {
    if (this.offset === undefined) throw new Error("JetStream's clock is not read yet");
    return Math.floor(this.offset + performance.now());
  }

  /** JetStream's time is not later than this: `now` is late by as much as the ack of the last reading took. */
  latest(): number {
    this.now();
    return Math.ceil(this.mostOffset + performance.now());
  }

  /** The age of the last reading, ms. */
  age(): number {
    return performance.now() - this.readAt;
  }

  /**
   * Stores a message and returns its timestamp: JetStream's clock has passed this time, so no gift that is stored later
   * is older. Fails: unavailable.
   */
  async read(): Promise<number> {
    const [at, since] = [Date.now(), performance.now()];
    await this.jetstream.publish(this.readSubject, {}, { msgId: randomUUID() });
    const acked = performance.now();
    const time = await this.timeOf(this.readSubject);
    if (time === undefined) throw lost(this.readSubject);
    // The message was stored before it was acked, so this clock is late by one way, and never ahead of JetStream's.
    this.offset = time - acked;
    this.mostOffset = time - since;
    this.readAt = acked;
    this.skew = skewOf(battleStream.name, time, { at, tookMs: acked - since });
    return time;
  }

  /**
   * The time of a battle's start or end message, which is stored where it is not yet. Every node and every repeat gets
   * the same time. Fails: unavailable; the message may be stored then.
   */
  async mark(battleId: string, mark: Mark): Promise<number> {
    const stored = await this.find(battleId, mark);
    if (stored !== undefined) return stored;
    await this.jetstream.publish(subjectOf(battleId, mark), { battleId }, { msgId: `battle-${battleId}-${mark}` });
    const time = await this.find(battleId, mark);
    if (time === undefined) throw lost(subjectOf(battleId, mark));
    return time;
  }

  /** The time of a battle's message, `undefined` where it is not stored. Fails: unavailable. */
  find(battleId: string, mark: Mark): Promise<number | undefined> {
    return this.timeOf(subjectOf(battleId, mark));
  }

  /** The newest message of a subject, as the stream's leader has it. */
  private async timeOf(subject: string): Promise<number | undefined> {
    const { manager } = this.jetstream;
    try {
      const query = { last_by_subj: natsPrefix() + subject };
      const { timestamp } = await manager.streams.getMessage(natsPrefix() + battleStream.name, query);
      return flooredMs(timestamp);
    } catch (error) {
      if ((error as { code?: string }).code === "404") return undefined;
      throw error;
    }
  }
}

/** The stream has lost the message, or another of its nodes answered. */
const lost = (subject: string) =>
  fail("unavailable", { what: "jetstream", stream: battleStream.name, subject, why: "an acked message is not found" });

const subjectOf = (battleId: string, mark: Mark) => `battle.${battleId}.${mark}`;

/** A timestamp of nanoseconds (RFC 3339, UTC, without trailing zeros) in ms since 1970, rounded down. */
export function flooredMs(timestamp: string): number {
  const [, seconds, fraction = ""] = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?Z$/.exec(timestamp) ?? [];
  if (seconds === undefined) throw new Error(`not a timestamp of JetStream: ${timestamp.slice(0, 40)}`);
  return Date.parse(`${seconds}.${fraction.slice(0, 3).padEnd(3, "0")}Z`);
}
