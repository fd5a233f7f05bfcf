import { LRUCache } from "lru-cache";
import type { Log } from "../../../broker/log.ts";
import { limits } from "../../../config/limits.ts";
import { SparseLog } from "../../../mixins/sparse-log.ts";
import type { VerifiedJwt } from "./jwt-verifier.ts";

type Names = Pick<VerifiedJwt, "nickName" | "avatar">;
type Asked = Names & Pick<VerifiedJwt, "externalId" | "issuedAt">;

interface Options {
  /** `user.ofExternal`. */
  readonly ofExternal: (user: Asked) => Promise<{ userId: string }>;
  readonly log: Pick<Log, "warn">;
}

interface Known {
  readonly userId: string;
  /** As they were last written, and the time of issue of the JWT that had them. */
  names: Names;
  issuedAt: number;
  writtenAt: number;
  /** When the user service was asked last who it is. */
  readonly askedAt: number;
}

const namesOf = ({ nickName, avatar }: Names): Names => ({
  ...(nickName === undefined ? {} : { nickName }),
  ...(avatar === undefined ? {} : { avatar }),
});

/**
 * The users of the platform at this gateway. The first sight of one asks the user service, which makes the user where
 * there is none. The mapping is kept until the user is erased (decision 0085).
 */
export class PlatformUsers {
  private readonly options: Options;
  private readonly known = new LRUCache<string, Known>({ max: limits.jwt.usersKept });
  /** The calls for users who are not known, by external id. */
  private readonly asked = new Map<string, Promise<Known>>();
  private readonly unwritten: SparseLog<{ err: unknown; userId: string }>;

  constructor(options: Options) {
    this.options = options;
    this.unwritten = new SparseLog((about) =>
      options.log.warn(about, "the names in a JWT were not written: the next request with it tries again"),
    );
  }

  /** The user of a valid JWT; requests at the same time share a call. Rejects as `ofExternal`. */
  async userIdOf(jwt: VerifiedJwt): Promise<string> {
    const { externalId } = jwt;
    const known = this.known.get(externalId);
    if (known) return known.userId;
    let asked = this.asked.get(externalId);
    if (!asked) {
      asked = this.ask(jwt).finally(() => this.asked.delete(externalId));
      this.asked.set(externalId, asked);
    }
    return (await asked).userId;
  }

  /**
   * Writes the names in a valid JWT where they differ from those that are known here, at most once in
   * `limits.jwt.namesEveryMs` for each user. Nobody waits for it. Names of an older JWT do not replace those of a newer
   * one. Returns whether nothing is left to do for this JWT.
   */
  offerNames(jwt: VerifiedJwt, now = performance.now()): boolean {
    const known = this.known.get(jwt.externalId);
    if (!known) return false;
    const { nickName = known.names.nickName, avatar = known.names.avatar } = jwt;
    if (jwt.issuedAt < known.issuedAt || (nickName === known.names.nickName && avatar === known.names.avatar))
      return true;
    if (now - known.writtenAt < limits.jwt.namesEveryMs) return false;
    known.writtenAt = now;
    void this.write(jwt, known);
    return false;
  }

  /**
   * Asks again who a JWT is of whose login is revoked: the user may be erased. It does so once in
   * `limits.jwt.askAgainMs`; returns whether it will.
   */
  forget(externalId: string, now = performance.now()): boolean {
    const known = this.known.get(externalId);
    if (known && now - known.askedAt < limits.jwt.askAgainMs) return false;
    this.known.delete(externalId);
    return true;
  }

  /** The user was erased. */
  forgetUser(userId: string): void {
    for (const [externalId, known] of this.known.entries()) if (known.userId === userId) this.known.delete(externalId);
  }

  private async ask(jwt: VerifiedJwt): Promise<Known> {
    const names = namesOf(jwt);
    const { externalId, issuedAt } = jwt;
    const { userId } = await this.options.ofExternal({ externalId, issuedAt, ...names });
    const now = performance.now();
    const known = { userId, names, issuedAt, writtenAt: now, askedAt: now };
    this.known.set(jwt.externalId, known);
    return known;
  }

  private async write(jwt: VerifiedJwt, known: Known): Promise<void> {
    const names = namesOf(jwt);
    try {
      const { externalId, issuedAt } = jwt;
      await this.options.ofExternal({ externalId, issuedAt, ...names });
      known.names = { ...known.names, ...names };
      known.issuedAt = jwt.issuedAt;
    } catch (err) {
      this.unwritten.add({ err, userId: known.userId });
    }
  }
}
