import { fail, isUnavailable } from "../../broker/failure.ts";
import type { Log } from "../../broker/log.ts";
import { messageOf } from "../../broker/unknown-values.ts";
import { limits } from "../../config/limits.ts";

interface PresenceParts {
  /** The server's name, as people know it. */
  readonly name: string;
  /** Before the server is used: whether it is the right one. Repeated until it succeeds. */
  prepare(): Promise<void>;
  /** Resolves where the server takes writes. */
  probe(): Promise<void>;
  readonly log: Pick<Log, "info" | "warn" | "error">;
  readonly changed?: (isPresent: boolean) => void;
  readonly now?: () => number;
}

/**
 * Whether a MySQL server that has a part of a service's rows is there for this node. While it is away everything that
 * needs it fails at once as `unavailable`, also what has been sent and is not answered: the rest of a call or batch must
 * not wait for it.
 *
 *   new      -> present   it was prepared: it is the server that its name says
 *   present  -> away      for `limits.mysql.presenceLostMs` it wrote nothing: neither for a look nor for a transaction
 *                         of the service, so a busy server is no lost one
 *   away     -> present   it wrote
 */
export class ServerPresence {
  private readonly parts: PresenceParts;
  private readonly now: () => number;
  /** What waits for an answer of the server. */
  private readonly waiting = new Set<(error: Error) => void>();
  private isPrepared = false;
  private isThere = false;
  private heardAt = Number.NEGATIVE_INFINITY;
  private lookedAt: number;
  private looking: Promise<void> | undefined;
  /** Why the last look failed. */
  private failure: unknown;
  private timer: NodeJS.Timeout | undefined;

  constructor(parts: PresenceParts) {
    this.parts = parts;
    this.now = parts.now ?? (() => performance.now());
    this.lookedAt = this.now();
  }

  get name(): string {
    return this.parts.name;
  }

  get isPresent(): boolean {
    return this.isThere;
  }

  /**
   * Begins to look, until `stop`. Resolves once the server is present, or after `limits.mysql.presenceStartMs`: a server
   * that is away is used once it is there. Rejects where it is another one than its name says.
   */
  async begin(): Promise<void> {
    this.timer = setInterval(() => void this.look(), limits.mysql.presenceLookMs);
    this.timer.unref();
    let late: NodeJS.Timeout | undefined;
    const waited = new Promise<void>((resolve) => {
      late = setTimeout(resolve, limits.mysql.presenceStartMs);
    });
    await Promise.race([this.look(), waited]);
    clearTimeout(late);
    if (this.isThere) return;
    if (this.failure !== undefined && !isUnavailable(this.failure)) throw this.failure;
    this.tellAway();
  }

  stop(): void {
    clearInterval(this.timer);
  }

  /** Looks at the server, one look at a time. Never rejects. */
  look(): Promise<void> {
    const now = this.now();
    // A process that stood still has heard nothing meanwhile, which is nobody's fault: that time does not count.
    const late = now - this.lookedAt - limits.mysql.presenceLookMs;
    if (late > 0) this.heardAt = Math.min(now, this.heardAt + late);
    this.lookedAt = now;
    if (this.isThere && now - this.heardAt > limits.mysql.presenceLostMs) this.lost();
    this.looking ??= this.ask().finally(() => {
      this.looking = undefined;
    });
    return this.looking;
  }

  private async ask(): Promise<void> {
    try {
      if (!this.isPrepared) await this.parts.prepare();
      await this.parts.probe();
      this.isPrepared = true;
      this.failure = undefined;
      this.heard();
    } catch (error) {
      const isNew = this.failure === undefined || messageOf(this.failure) !== messageOf(error);
      this.failure = error;
      const text = "a server of users' data cannot be used: its users are refused";
      if (isNew && !isUnavailable(error)) this.parts.log.error({ server: this.name, err: error }, text);
    }
  }

  /** The server has written: one that answers reads while its commits hang is as good as away. */
  heard(): void {
    this.heardAt = this.now();
    if (!this.isPrepared || this.isThere) return;
    this.isThere = true;
    this.parts.changed?.(true);
    this.parts.log.info({ server: this.name }, "a server of users' data is there: its users are served");
  }

  private lost(): void {
    this.isThere = false;
    this.parts.changed?.(false);
    this.tellAway();
    for (const reject of this.waiting) reject(this.absence());
    this.waiting.clear();
  }

  private tellAway(): void {
    const text = "a server of users' data is away: its users are refused until it is back";
    this.parts.log.warn({ server: this.name, err: this.failure }, text);
  }

  private absence(): Error {
    const { data, message } = (this.failure ?? {}) as { data?: { cause?: unknown }; message?: string };
    const why = data?.cause ?? message ?? "it does not answer";
    return fail("unavailable", { cause: `server ${this.name} is away, and its users are refused: ${why}` });
  }

  /** Fails: unavailable, while the server is away. */
  require(): void {
    if (!this.isThere) throw this.absence();
  }

  /**
   * Runs work that needs the server. Fails: unavailable, at once while the server is away, and as soon as it is found away:
   * then what was sent may have been carried out.
   */
  async during<T>(work: () => Promise<T>): Promise<T> {
    this.require();
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    this.waiting.add(reject);
    work()
      .then(resolve, reject)
      .finally(() => this.waiting.delete(reject));
    return promise;
  }
}

/** Runs work on a server that may be away; `undefined`: on the service's own, whose absence ends more than its users. */
export const whilePresent = <T>(presence: ServerPresence | undefined, work: () => Promise<T>): Promise<T> =>
  presence ? presence.during(work) : work();
