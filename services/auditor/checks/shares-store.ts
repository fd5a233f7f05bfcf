import { databaseName } from "../../../config/config.ts";
import { limits } from "../../../config/limits.ts";
import type { NamedKeys } from "../../../config/named-keys.ts";
import type { Queryable } from "../../../mixins/mysql/database.ts";
import { verdictOfShare } from "../../signed-shares.ts";
import type { Difference } from "../differences.ts";
import type { Check } from "./check.ts";
import { windowCheck } from "./windows-store.ts";

/** The anchors' own shares against the signatures of the gift service, whose keys these are. */

interface ShareRow extends Record<"id" | "anchor_id" | "operator" | "key_name", string> {
  percent: number | null;
  from_time: Date;
  create_time: Date;
  signature: Buffer;
}

function differenceOf(keys: NamedKeys, row: ShareRow): Difference | undefined {
  const { percent, from_time: from, operator, create_time: written, key_name: keyName } = row;
  const anchorId = String(row.anchor_id);
  const signed = { anchorId, percent, from, operator, written, keyName, signature: row.signature.toString("hex") };
  const verdict = verdictOfShare(keys, signed);
  if (verdict === "right") return undefined;
  const share = percent === null ? "the default" : `${percent} %`;
  const detail = `anchor ${anchorId}: ${share} from ${from.toISOString()}, by ${operator}, key ${keyName}`;
  return { kind: verdict === "wrong" ? "shareForged" : "sealKeyUnknown", subject: `share ${row.id}`, detail };
}

/** Every row of the anchors' shares is signed by the gift service. */
export function sharesCheck(books: Queryable, keys: NamedKeys): Check {
  const table = `${databaseName("gift")}.t_anchor_share`;
  return windowCheck(books, {
    ...{ name: "shares of anchors", table, column: "create_time", rounds: true },
    async find(from, to) {
      const rows = await books.query<ShareRow>(
        `SELECT id, anchor_id, percent, from_time, operator, create_time, key_name, signature FROM ${table}
         WHERE id > ? AND id <= ? ORDER BY id`,
        [from, to],
      );
      const differences = rows.map((row) => differenceOf(keys, row)).filter((one) => one !== undefined);
      return differences.slice(0, limits.books.findingsPerPage);
    },
  });
}
