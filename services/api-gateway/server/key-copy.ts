import { fail, isUnavailable } from "../../../broker/failure.ts";
import type { Log } from "../../../broker/log.ts";
import { limits } from "../../../config/limits.ts";
import { BackgroundLoop } from "../../../mixins/background-loop.ts";
import { idOfApiKey, isApiKey } from "../../api-keys.ts";
import type { ResultOf } from "../../contracts.ts";
import type { KnownApiKey } from "../../platform/platform.contract.ts";

const { keysPollMs, keysStaleMs } = limits.platform;
/** How often a read begins again because the keys changed between its pages. */
const readTries = 5;

interface Options {
  /** `platform.keysSince`; rejects where the platform service does not answer in time. */
  readonly page: (known: { revision: number; after: string }) => Promise<ResultOf<"platform.keysSince">>;
  readonly log: Log;
}

/**
 * A node's copy of the API keys that are valid. It is compared by its revision every `limits.platform.keysPollMs`, and
 * whenever somebody says that keys have changed. A key that is not in it is looked for once more, so that a new key works
 * at once and an unknown one is certainly unknown.
 *
 * While the platform service is away, known keys are let in until the copy is `limits.platform.keysStaleMs` old. After
 * that, and of other keys from the beginning, nobody knows: `unavailable`.
 */
export class KeyCopy {
  private readonly options: Options;
  private readonly loop: BackgroundLoop;
  private keys: ReadonlyMap<string, KnownApiKey> = new Map();
  /** -1: not read yet, so that the first read gets the list. */
  private revision = -1;
  /** When the last complete read began, by this node's monotonic clock. */
  private readAt = Number.NEGATIVE_INFINITY;
  private running: Promise<void> | undefined;
  private next: Promise<void> | undefined;
  private failing = false;

  constructor(options: Options) {
    this.options = options;
    this.loop = new BackgroundLoop({
      name: "API keys",
      round: () => this.round(),
      idleMs: keysPollMs,
      errorBackoffMs: keysPollMs,
      log: options.log,
    });
  }

  get size(): number {
    return this.keys.size;
  }

  /** Keys have changed, or a node of the platform service may have appeared. */
  wake(): void {
    this.loop.wake();
  }

  stop(): Promise<void> {
    return this.loop.stop();
  }

  /** The key that was presented, where the copy is enough to know it; `undefined`: look for it. */
  known(presented: string): KnownApiKey | undefined {
    if (performance.now() - this.readAt > keysStaleMs) return undefined;
    const known = this.keys.get(idOfApiKey(presented) ?? "");
    return known && isApiKey(presented, known.digest) ? known : undefined;
  }

  /** The same, with a look at the platform service; `undefined`: there is no such key. Fails: unavailable. */
  async find(presented: string): Promise<KnownApiKey | undefined> {
    if (idOfApiKey(presented) === undefined) return undefined;
    await this.readAnew();
    return this.known(presented);
  }

  /** Fails: notLoggedIn; unavailable. For a request whose body took its time. */
  requireStillValid({ keyId }: KnownApiKey): void {
    if (performance.now() - this.readAt > keysStaleMs)
      throw fail("unavailable", { cause: "the copy of the API keys is too old" });
    if (!this.keys.has(keyId)) throw fail("notLoggedIn");
  }

  /** Resolves after a read that began after this call. Those who wait share it. */
  private readAnew(): Promise<void> {
    if (!this.running) return this.start();
    this.next ??= this.running.catch(() => {}).then(() => this.start());
    return this.next;
  }

  private start(): Promise<void> {
    this.next = undefined;
    const read = this.read().finally(() => {
      if (this.running === read) this.running = undefined;
    });
    this.running = read;
    return read;
  }

  private async read(): Promise<void> {
    const startedAt = performance.now();
    for (let tries = 1; ; tries++) {
      const first = await this.options.page({ revision: Math.max(0, this.revision), after: "" });
      const unchanged = first.list === null && this.revision === first.revision;
      const keys = unchanged ? this.keys : await this.allPages(first);
      if (keys) {
        this.keys = keys;
        this.revision = first.revision;
        this.readAt = startedAt;
        return;
      }
      if (tries >= readTries) throw fail("unavailable", { why: "the API keys change while they are read" });
    }
  }

  /** `undefined` where the keys changed meanwhile. */
  private async allPages(first: ResultOf<"platform.keysSince">): Promise<Map<string, KnownApiKey> | undefined> {
    const keys = new Map<string, KnownApiKey>();
    for (let page = first; ; ) {
      for (const key of page.list ?? []) keys.set(key.keyId, key);
      if (page.next === null) return keys;
      page = await this.options.page({ revision: first.revision, after: page.next });
      if (page.revision !== first.revision) return undefined;
    }
  }

  private async round(): Promise<boolean> {
    const { log } = this.options;
    try {
      await this.readAnew();
    } catch (error) {
      if (!isUnavailable(error)) throw error;
      if (!this.failing)
        log.warn(
          { err: error },
          "the API keys cannot be read: it is tried again; known keys are let in for 10 s, others are answered 503",
        );
      this.failing = true;
      return false;
    }
    if (this.failing) log.info({}, "the API keys can be read again");
    this.failing = false;
    return false;
  }
}
