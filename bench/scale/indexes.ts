import type { Connection } from "mysql2/promise";
import { telling } from "../support/telling.ts";

interface IndexColumn {
  Key_name: string;
  Non_unique: number;
  Seq_in_index: number;
  Column_name: string;
}

/** `ADD UNIQUE KEY name (a, b)` for every index of a table except its primary key. */
export function indexClauses(columns: readonly IndexColumn[]): { name: string; clause: string }[] {
  const indexes = Map.groupBy(
    columns.filter(({ Key_name }) => Key_name !== "PRIMARY"),
    ({ Key_name }) => Key_name,
  );
  return [...indexes].map(([name, parts]) => {
    const ordered = parts.toSorted((a, b) => a.Seq_in_index - b.Seq_in_index);
    const kind = Number(ordered[0]?.Non_unique) === 0 ? "UNIQUE KEY" : "KEY";
    return { name, clause: `ADD ${kind} ${name} (${ordered.map(({ Column_name }) => Column_name).join(", ")})` };
  });
}

/**
 * Runs `fill` while a table has only its primary key, and then adds its indexes again. For keys in no order this is many
 * times faster than updating the indexes row by row.
 */
export async function withoutIndexes(
  connection: Connection,
  table: string,
  progress: (line: string) => void,
  fill: () => Promise<void>,
): Promise<void> {
  const [columns] = await connection.query(`SHOW INDEX FROM ${table}`);
  const indexes = indexClauses(columns as IndexColumn[]);
  if (indexes.length > 0)
    await connection.query(`ALTER TABLE ${table} ${indexes.map(({ name }) => `DROP KEY ${name}`).join(", ")}`);
  await fill();
  // One by one: each says how far it is.
  for (const { name, clause } of indexes)
    await telling(`${table.split(".").at(-1)}: making ${name}`, progress, () =>
      connection.query(`ALTER TABLE ${table} ${clause}`),
    );
}
