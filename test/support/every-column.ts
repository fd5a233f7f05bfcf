import { createConnection, type RowDataPacket } from "mysql2/promise";
import { config } from "../../config/config.ts";
import { openRedis } from "../../mixins/redis.mixin.ts";

/** A search of everything that the namespace of a test has stored. */

/** Where one of the texts stands: `database.table.column: text`, in any column of any table of the namespace. */
export async function columnsWith(texts: readonly string[]): Promise<string[]> {
  const { MYSQL_URL: uri, NAMESPACE } = config();
  const connection = await createConnection({ uri });
  try {
    const [columns] = await connection.query<RowDataPacket[]>(
      `SELECT table_schema AS db, table_name AS tab, column_name AS col FROM information_schema.columns
       WHERE table_schema LIKE ? AND data_type NOT IN ('bigint', 'int', 'tinyint', 'smallint', 'datetime', 'date')`,
      [`${NAMESPACE.replaceAll("_", "\\_")}%`],
    );
    const found: string[] = [];
    for (const { db, tab, col } of columns)
      for (const text of texts) {
        const [rows] = await connection.query<RowDataPacket[]>(
          `SELECT 1 FROM \`${db}\`.\`${tab}\` WHERE LOCATE(CONVERT(? USING binary), CONVERT(\`${col}\` USING binary)) > 0 LIMIT 1`,
          [text],
        );
        if (rows.length > 0) found.push(`${db}.${tab}.${col}: ${text}`);
      }
    return found;
  } finally {
    await connection.end();
  }
}

/** The keys of the namespace at Redis whose name or content has one of the texts. */
export async function keysWith(texts: readonly string[]): Promise<string[]> {
  const redis = openRedis("test");
  await redis.connect();
  try {
    const prefix = redis.options.keyPrefix ?? "";
    const found: string[] = [];
    for (let cursor = "0"; ; ) {
      const [next, keys] = await redis.scan(cursor, "MATCH", `${prefix}*`, "COUNT", 1_000);
      for (const key of keys) {
        // As a dump has them, texts may be compressed: each kind is read as it is.
        const content = await contentOf(redis, key.slice(prefix.length));
        for (const text of texts) if (`${key}\n${content}`.includes(text)) found.push(`${key}: ${text}`);
      }
      if (next === "0") return found;
      cursor = next;
    }
  } finally {
    redis.disconnect();
  }
}

async function contentOf(redis: ReturnType<typeof openRedis>, key: string): Promise<string> {
  switch (await redis.type(key)) {
    case "string":
      return (await redis.get(key)) ?? "";
    case "hash":
      return JSON.stringify(await redis.hgetall(key));
    case "zset":
      return (await redis.zrange(key, 0, -1)).join("\n");
    case "set":
      return (await redis.smembers(key)).join("\n");
    case "list":
      return (await redis.lrange(key, 0, -1)).join("\n");
    default:
      return "";
  }
}
