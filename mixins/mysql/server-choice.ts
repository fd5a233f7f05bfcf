import { limits } from "../../config/limits.ts";
import { ServerLooks } from "./server-looks.ts";
import { type Answered, type MysqlServer, type Standing, standingOf } from "./servers.ts";

/** What a server is by what it said when it was asked. */
interface Answer {
  readonly server: MysqlServer;
  /** `undefined`: it did not answer, or serves nobody. */
  readonly standing: Standing | undefined;
  /** Whether it may be used. */
  readonly isGood: boolean;
  readonly failure: unknown;
}

interface ChoicePorts {
  /** Only read: a server that takes no writes is as good as another. */
  readonly reads: boolean;
  /** Another server is used from now on. `isSilent`: the former one does not answer a new connection. */
  moved(from: MysqlServer, to: MysqlServer, why: string, isSilent: boolean): void;
  /** As `standingOf`; a test may have its own. */
  readonly standing?: (server: MysqlServer) => Promise<Answered>;
}

/**
 * Which of several servers is used: the first in the order of the URL that takes writes, and of a Galera cluster has all
 * transactions (Synced); where there is none, the first that is not Synced, and then the first that answers, for reads.
 * With one server there is nothing to choose, and it is never asked.
 *
 *   used        -> used          while it answers as before; what a single bad moment is, server-looks.ts decides
 *               -> another one   it does not answer, takes no writes or is not Synced, and another is better
 *               -> an earlier    that has answered `limits.mysql.returnAfterLooks` looks in a row
 *
 * All processes have the same order, so they meet at the same server.
 */
export class ServerChoice {
  private readonly servers: readonly [MysqlServer, ...MysqlServer[]];
  private readonly ports: ChoicePorts;
  private readonly standing: (server: MysqlServer) => Promise<Answered>;
  private readonly looks = new ServerLooks();
  private readonly timer: NodeJS.Timeout | undefined;
  private used: MysqlServer;
  /** Whether a look has confirmed `used`. */
  private isKnown: boolean;
  private looking: Promise<void> | undefined;
  private lookedAt = Number.NEGATIVE_INFINITY;
  /** An earlier server that answers, and how many looks in a row it has. */
  private returning: { server: MysqlServer; looks: number } | undefined;

  constructor(servers: readonly [MysqlServer, ...MysqlServer[]], ports: ChoicePorts) {
    this.servers = servers;
    this.ports = ports;
    this.standing = ports.standing ?? standingOf;
    [this.used] = servers;
    this.isKnown = servers.length === 1;
    if (this.isKnown) return;
    // Where no server answers, who needs one is told.
    this.timer = setInterval(() => void this.look().catch(() => {}), limits.mysql.lookAtServersMs);
    this.timer.unref();
  }

  /** The server that is used until a look says otherwise. */
  get inUse(): MysqlServer {
    return this.used;
  }

  /** The server to use. @throws the last server's error where none answers */
  async current(): Promise<MysqlServer> {
    if (!this.isKnown) await this.look();
    return this.used;
  }

  /**
   * A connection to this server failed, or it refuses. Resolves to whether another one is used now. Of many callers one
   * looks, and at most once in `limits.mysql.emptyEveryMs`. @throws where no server answers
   */
  async isLeft(server: MysqlServer): Promise<boolean> {
    if (this.servers.length === 1) return false;
    const isRecent = performance.now() - this.lookedAt < limits.mysql.emptyEveryMs;
    if (this.used === server && (this.looking || !isRecent)) await this.look();
    return this.used !== server;
  }

  /** The next use looks again at all servers. */
  reconsider(): void {
    this.isKnown = this.servers.length === 1;
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private look(): Promise<void> {
    this.looking ??= this.choose().finally(() => {
      this.looking = undefined;
      this.lookedAt = performance.now();
    });
    return this.looking;
  }

  /** Asks the used server and earlier ones, and the others where that one is not usable. */
  private async choose(): Promise<void> {
    const upTo = this.isKnown ? this.servers.indexOf(this.used) + 1 : this.servers.length;
    const answers = await this.ask(this.servers.slice(0, upTo));
    if (!answers.some(({ server, isGood }) => isGood && server === this.used))
      answers.push(...(await this.ask(this.servers.slice(upTo))));
    const best =
      answers.find(({ isGood }) => isGood) ??
      answers.find(({ standing }) => standing === "notSynced") ??
      answers.find(({ standing }) => standing !== undefined);
    const used = answers.find(({ server }) => server === this.used);
    if (!best || !used) throw answers.at(-1)?.failure;
    if (!this.isKnown || !used.isGood) this.use(best.server, whyLeft(used), used.standing === undefined);
    else if (best !== used) this.returnTo(best.server);
    else this.returning = undefined;
    this.isKnown = true;
  }

  /** All at once, since those that are silent take their time. */
  private ask(servers: readonly MysqlServer[]): Promise<Answer[]> {
    return Promise.all(
      servers.map(async (server) => {
        try {
          return this.answer(server, await this.standing(server), undefined);
        } catch (failure) {
          return this.answer(server, undefined, failure);
        }
      }),
    );
  }

  private answer(server: MysqlServer, answered: Answered | undefined, failure: unknown): Answer {
    const standing = this.looks.countsAs(server.place, answered, server === this.used);
    const isGood = standing === "writable" || (standing === "readOnly" && this.ports.reads);
    return { server, standing, isGood, failure: failure ?? new Error(`it is ${answered}`) };
  }

  private returnTo(server: MysqlServer): void {
    const looks = this.returning?.server === server ? this.returning.looks + 1 : 1;
    this.returning = { server, looks };
    if (looks >= limits.mysql.returnAfterLooks) this.use(server, "an earlier one answers", false);
  }

  private use(server: MysqlServer, why: string, isSilent: boolean): void {
    this.returning = undefined;
    if (server === this.used) return;
    const from = this.used;
    this.used = server;
    this.ports.moved(from, server, why, isSilent);
  }
}

function whyLeft({ standing, failure }: Answer): string {
  if (standing === "readOnly") return "it accepts no writes (read_only)";
  if (standing === "notSynced") return "it is a node of Galera that is not Synced";
  return standing === undefined ? `it does not answer: ${(failure as Error).message}` : "an earlier one answers";
}
