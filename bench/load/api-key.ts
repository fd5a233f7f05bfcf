import { databaseName } from "../../config/config.ts";
import { limits } from "../../config/limits.ts";
import { Database } from "../../mixins/mysql/database.ts";
import { createKey } from "../../services/platform/keys.ts";

type Scopes = Parameters<typeof createKey>[1]["scopes"];

/** A key of the server API with these scopes and the highest limit, straight into the books. */
export async function apiKey(scopes: Scopes): Promise<string> {
  const database = new Database(databaseName("platform"));
  try {
    const perMinute = limits.platform.requestsPerKeyPerMinuteMax;
    return (await createKey(database, { name: "bench", scopes, perMinute, operator: "bench" })).key;
  } finally {
    await database.close();
  }
}
