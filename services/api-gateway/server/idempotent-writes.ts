import { randomBytes } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { fail } from "../../../broker/failure.ts";
import type { Log } from "../../../broker/log.ts";
import { failures, isFailureName } from "../../../config/errors.ts";
import { limits } from "../../../config/limits.ts";
import { failShowing, shownAs, shownOf } from "../../../mixins/http/answer.ts";
import type { BeginOutcome } from "../../platform/platform.contract.ts";
import type { PlatformWrites } from "./platform-writes.ts";

const { answerBytes, beginTries, repeatLookMs, repeatsWaiting, repeatWaitMs } = limits.platform;

/** What was answered: the `data` of a success, or a refusal with what it showed. */
type KeptAnswer = { data: unknown } | { failure: string; shown?: Record<string, unknown> };

interface Options {
  readonly platform: Pick<PlatformWrites, "begin" | "finish">;
  readonly log: Pick<Log, "warn" | "error">;
}

export interface KeyedWrite {
  readonly key: string;
  readonly fingerprint: string;
  /** See ServerEndpoint. */
  readonly rerun: boolean;
  /** For the log. */
  readonly path: string;
  readonly requestId: string;
}

const unsureData = new WeakMap<Error, Record<string, unknown>>();

/** A refusal, with what the 503 shows that is given in its place while an earlier attempt may still be carried out. */
export function shownWhileUnsure(refusal: unknown, data: Record<string, unknown>): unknown {
  if (refusal instanceof Error) unsureData.set(refusal, data);
  return refusal;
}

/** A refusal that is an outcome of the write, not a fault of the request or of the system: it is kept. */
const isOutcome = (error: unknown) => failures[shownAs(error)].http === 200;

/**
 * Carries out a write once for its idempotency key. Its first request runs; the answer is kept before it is given, so
 * that every repeat gets it. Where the first one is under way, a repeat waits for it; where its node died, a repeat takes
 * over when its lease is over, so `run` may be run more than once and must be idempotent by business ids.
 *
 * A repeat of a `rerun` write takes over at once. While the first one may still succeed a refusal of the repeat is no
 * outcome: it is answered 503 and not kept.
 */
export class IdempotentWrites {
  private readonly options: Options;
  private waiting = 0;

  constructor(options: Options) {
    this.options = options;
  }

  /**
   * The answer of the write's first run. Fails: as that; idempotencyConflict; unavailable, also where it ran and its
   * answer could not be kept: the same request gets it later.
   */
  async once(write: KeyedWrite, run: () => Promise<unknown>): Promise<unknown> {
    for (let tries = 0; tries < beginTries; tries++) {
      const attempt = randomBytes(16).toString("hex");
      const begun = await this.begin(write, attempt);
      if (begun.outcome === "conflict") throw fail("idempotencyConflict");
      if (begun.outcome === "answered") return given(begun.answer);
      const answer = await this.run(write, attempt, run, begun.unsure === true);
      if (write.rerun && "data" in answer) return answer.data;
      if (await this.keep(write, attempt, answer)) return givenOf(answer);
      // Its lease was over before it ended, and another attempt began: that one's answer counts.
    }
    throw fail("unavailable", { why: "other attempts took this request over all the time" });
  }

  /** Waits while another attempt is under way. */
  private async begin(write: KeyedWrite, attempt: string): Promise<Exclude<BeginOutcome, { outcome: "underWay" }>> {
    const { key, fingerprint, rerun } = write;
    const ask = () => this.options.platform.begin({ key, attempt, fingerprint, rerun });
    const first = await ask();
    if (first.outcome !== "underWay") return first;
    if (this.waiting >= repeatsWaiting) throw fail("unavailable", { why: "too many repeats wait" });
    const until = performance.now() + repeatWaitMs;
    this.waiting++;
    try {
      while (performance.now() < until) {
        await pause(repeatLookMs);
        const again = await ask();
        if (again.outcome !== "underWay") return again;
      }
    } finally {
      this.waiting--;
    }
    throw fail("unavailable", { why: "the first request with this idempotency key is still under way" });
  }

  /** The outcome of a run. A fault is no outcome: the key is freed, so that a repeat runs it again. */
  private async run(
    write: KeyedWrite,
    attempt: string,
    run: () => Promise<unknown>,
    unsure: boolean,
  ): Promise<KeptAnswer> {
    try {
      return { data: await run() };
    } catch (error) {
      if (!isOutcome(error)) {
        if (!write.rerun) await this.free(write, attempt);
        throw error;
      }
      if (unsure) {
        // This attempt has ended; the earlier one's lease counts on.
        await this.free(write, attempt);
        const data = unsureData.get(error as Error);
        throw data
          ? failShowing("unavailable", data)
          : fail("unavailable", { why: "an earlier attempt may be under way" });
      }
      const shown = shownOf(error);
      return { failure: shownAs(error), ...(shown && { shown }) };
    }
  }

  /** `false`: another attempt has taken over. Fails: unavailable. */
  private async keep(write: KeyedWrite, attempt: string, answer: KeptAnswer): Promise<boolean> {
    const text = JSON.stringify(answer);
    const about = { path: write.path, idempotencyKey: write.key, requestId: write.requestId };
    if (Buffer.byteLength(text) > answerBytes) {
      this.options.log.error(about, "an answer is too long to be kept: a repeat runs the request again");
      await this.free(write, attempt);
      return true;
    }
    try {
      return await this.options.platform.finish({ key: write.key, attempt, answer: text });
    } catch (err) {
      this.options.log.warn(
        { ...about, err },
        "a write was carried out and its answer could not be kept: answered 503, and the same request gets it",
      );
      throw fail("unavailable", { why: "the answer could not be kept" });
    }
  }

  /** The request has its failure anyway. Where this fails, a repeat begins when the lease is over. */
  private async free({ key, path, requestId }: KeyedWrite, attempt: string): Promise<void> {
    await this.options.platform.finish({ key, attempt }).catch((err: unknown) => {
      this.options.log.warn(
        { err, path, idempotencyKey: key, requestId },
        "an idempotency key was not freed after a fault: a repeat waits until its lease is over",
      );
    });
  }
}

function givenOf(answer: KeptAnswer): unknown {
  if ("data" in answer) return answer.data;
  // Of a newer release: it cannot be shown as what it is.
  const name = isFailureName(answer.failure) ? answer.failure : "business";
  throw answer.shown ? failShowing(name, answer.shown) : fail(name);
}

function given(text: string): unknown {
  return givenOf(JSON.parse(text) as KeptAnswer);
}
