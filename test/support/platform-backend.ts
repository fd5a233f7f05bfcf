import { randomUUID } from "node:crypto";
import { databaseName } from "../../config/config.ts";
import { Database } from "../../mixins/mysql/database.ts";
import { type ApiScope, apiScopes } from "../../services/api-scopes.ts";
import { createKey } from "../../services/platform/keys.ts";
import { type Answer, answered, post } from "./client.ts";

/** For how long a request that is answered 503 is repeated. */
const repeatedMs = 30_000;

/** A backend of the platform: it calls the server API of the system at `API_URL` with an API key of its own. */
export class PlatformBackend {
  readonly key: string;
  private readonly base: string | undefined;

  private constructor(key: string, base?: string) {
    this.key = key;
    this.base = base;
  }

  /** The same backend, by way of another gateway. */
  at(base: string): PlatformBackend {
    return new PlatformBackend(this.key, base);
  }

  /** Writes the key into the books, as the platform service does. */
  static async open(scopes: readonly ApiScope[] = apiScopes): Promise<PlatformBackend> {
    const database = new Database(databaseName("platform"));
    try {
      const { key } = await createKey(database, { name: "test", scopes, perMinute: 1_000_000, operator: "test" });
      return new PlatformBackend(key);
    } finally {
      await database.close();
    }
  }

  /** One request; without `idempotencyKey` a write of its own. */
  post<T = Record<string, unknown>>(
    path: string,
    body: object,
    idempotencyKey: string = randomUUID(),
  ): Promise<Answer<T>> {
    const headers = { "idempotency-key": idempotencyKey };
    return post<T>(`/live/server/v1/${path}`, body, {
      token: this.key,
      headers,
      ...(this.base && { base: this.base }),
    });
  }

  /** The data of an answer that must be a success; a write that is repeated after a 503 is the same write. */
  async ask<T = Record<string, unknown>>(path: string, body: object): Promise<T> {
    const idempotencyKey = randomUUID();
    const answer = await answered(path, () => this.post<T>(path, body, idempotencyKey), repeatedMs);
    if (answer.code !== 200) throw new Error(`${path}: ${answer.status} ${answer.code} ${answer.msg}`);
    return answer.data;
  }

  /** A new user of the platform. */
  async user(externalId: string = `user ${randomUUID()}`): Promise<{ externalId: string; userId: string }> {
    const { userId } = await this.ask<{ userId: string }>("users/upsert", { externalId });
    return { externalId, userId };
  }
}
