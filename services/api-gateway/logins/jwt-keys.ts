import type { KeyObject } from "node:crypto";
import { createLocalJWKSet, type JSONWebKeySet, type JWTVerifyGetKey } from "jose";
import { fail } from "../../../broker/failure.ts";
import type { Log } from "../../../broker/log.ts";
import { limits } from "../../../config/limits.ts";
import { BackgroundLoop } from "../../../mixins/background-loop.ts";
import { Degraded } from "../../../mixins/health.mixin.ts";

/** The keys that the platform's JWTs are verified with. */
export interface JwtKeys {
  /** Changes with each read of the keys. */
  readonly reading: number;
  /** Whether the platform may have newer keys that cannot be read now. */
  readonly isFailing: boolean;
  /** Fails: unavailable, where no keys were read yet. */
  readonly find: JWTVerifyGetKey;
  /** Whether there are other keys than at `reading`; they are read where that is due. Never rejects. */
  renewed(reading: number): Promise<boolean>;
}

/** One key, of the settings. */
export function fixedKey(key: KeyObject): JwtKeys {
  return { reading: 0, isFailing: false, find: () => key, renewed: async () => false };
}

interface Options {
  /** Reads the set; rejects with the cause where that fails. */
  readonly request: (stopping: AbortSignal) => Promise<JSONWebKeySet>;
  /** Called where a key is not in the set any more: what it signed is not valid. */
  readonly dropped: () => void;
  readonly log: Pick<Log, "info" | "warn">;
  /** By default `limits.jwt`. */
  readonly times?: Readonly<Record<"keysEveryMs" | "keysAgainMs" | "unknownKeyEveryMs", number>>;
}

/**
 * The keys at a URL (JWKS). They are read in the background. While they cannot be read, those that were read last stay
 * valid for as long as it takes. A JWT whose key is unknown causes a read at once, so a new key works at its first use.
 * That read is made at most once in `limits.jwt.unknownKeyEveryMs`, for all requests together: whoever makes up keys
 * causes no flood of reads, and delays nobody.
 */
export class Jwks implements JwtKeys {
  reading = 0;
  private readonly options: Options;
  private readonly times: NonNullable<Options["times"]>;
  private loop: BackgroundLoop | undefined;
  private readonly stopping = new AbortController();
  private local: JWTVerifyGetKey | undefined;
  private known: ReadonlySet<string> = new Set();
  private problem: string | undefined;
  /** The number of the last read that began, and of the one whose set is in use: a slow answer may be an old one. */
  private begun = 0;
  private used = 0;
  private dueAt = 0;
  /** The read for an unknown key, and when the last one began. */
  private asked: Promise<unknown> | undefined;
  private askedAt = Number.NEGATIVE_INFINITY;

  constructor(options: Options) {
    this.options = options;
    this.times = options.times ?? limits.jwt;
  }

  /** Begins to read the keys. */
  start(): void {
    this.loop = new BackgroundLoop({
      name: "the platform's keys",
      idleMs: this.times.keysAgainMs,
      errorBackoffMs: this.times.keysAgainMs,
      log: this.options.log,
      round: async () => {
        if (performance.now() < this.dueAt) return false;
        const isRead = await this.read();
        this.dueAt = performance.now() + (isRead ? this.times.keysEveryMs : 0);
        return false;
      },
    });
  }

  readonly find: JWTVerifyGetKey = (header, token) => {
    if (!this.local) throw fail("unavailable", { cause: "the platform's keys are not read yet" });
    return this.local(header, token);
  };

  get isFailing(): boolean {
    return this.problem !== undefined;
  }

  async renewed(reading: number): Promise<boolean> {
    if (this.reading !== reading) return true;
    if (!this.asked && performance.now() - this.askedAt >= this.times.unknownKeyEveryMs) {
      this.askedAt = performance.now();
      this.asked = this.read().finally(() => {
        this.asked = undefined;
      });
    }
    await this.asked;
    return this.reading !== reading;
  }

  /** For the health check. Rejects where no JWT can be verified; as `Degraded` where new keys cannot be read. */
  async requireKeys(): Promise<void> {
    const { problem = "not answered yet" } = this;
    if (!this.local) throw new Error(`the platform's keys were never read (${problem}): JWTs are answered 503`);
    if (this.isFailing) throw new Degraded(`the platform's keys cannot be read: ${problem}`);
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.loop?.stop();
    await this.asked;
  }

  /** Whether the keys were read. Never rejects. */
  private async read(): Promise<boolean> {
    const { log, request } = this.options;
    const order = ++this.begun;
    try {
      const set = await request(this.stopping.signal);
      if (order > this.used) this.use(set, order);
    } catch (error) {
      if (this.stopping.signal.aborted) return false;
      if (!this.isFailing)
        log.warn(
          { err: error, keys: this.known.size },
          "the platform's keys cannot be read: the known ones stay valid",
        );
      // Node's fetch has the cause in the error's own cause.
      const { cause, message } = error as Error & { cause?: { message?: unknown } };
      this.problem = typeof cause?.message === "string" ? cause.message : message;
      return false;
    }
    if (this.isFailing) log.info({ keys: this.known.size }, "the platform's keys can be read again");
    this.problem = undefined;
    return true;
  }

  private use(set: JSONWebKeySet, order: number): void {
    const local = createLocalJWKSet(set);
    const keys = new Set(set.keys.map((key) => JSON.stringify(key)));
    const isDropped = [...this.known].some((key) => !keys.has(key));
    if (this.known.size !== keys.size || isDropped)
      this.options.log.info({ keys: keys.size, kids: set.keys.map(({ kid }) => kid) }, "the platform's keys were read");
    this.local = local;
    this.known = keys;
    this.used = order;
    this.reading++;
    if (isDropped) this.options.dropped();
  }
}
