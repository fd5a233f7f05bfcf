import { isDuplicateKey, type Queryable, type Transaction } from "../../mixins/mysql/database.ts";

/** SQL of what is counted at present, and of the database's clock. */

export interface RankState {
  readonly generation: number;
  /** The time zone of its periods. */
  readonly zone: string;
}

interface Row {
  generation: number;
  zone: string;
}

const toState = ({ generation, zone }: Row): RankState => ({ generation: Number(generation), zone });

/** Writes the first state; returns whether there was none. */
export async function beginState(tx: Transaction, zone: string): Promise<boolean> {
  if (await findState(tx)) return false;
  try {
    await tx.run("INSERT INTO t_rank_state (id, generation, zone, begun_time) VALUES (1, 1, ?, UTC_TIMESTAMP(3))", [
      zone,
    ]);
    return true;
  } catch (error) {
    if (isDuplicateKey(error)) return false;
    throw error;
  }
}

export async function findState(db: Queryable): Promise<RankState | undefined> {
  const [row] = await db.query<Row>("SELECT generation, zone FROM t_rank_state WHERE id = 1");
  return row && toState(row);
}

/** The state, which stays as it is until the transaction ends. @throws Error where there is none */
export async function holdState(tx: Transaction): Promise<RankState> {
  const [row] = await tx.query<Row>("SELECT generation, zone FROM t_rank_state WHERE id = 1 LOCK IN SHARE MODE");
  if (!row) throw new Error("t_rank_state has no row: it is written when a rank node starts");
  return toState(row);
}

/** Begins a new generation, of which nothing is counted, once the transactions that count have ended. */
export async function nextGeneration(tx: Transaction, zone: string): Promise<void> {
  await tx.run(
    "UPDATE t_rank_state SET generation = generation + 1, zone = ?, begun_time = UTC_TIMESTAMP(3) WHERE id = 1",
    [zone],
  );
}

/** The database's clock, ms since 1970. */
export async function databaseTimeMs(db: Queryable): Promise<number> {
  const [row] = await db.query<{ now: Date }>("SELECT UTC_TIMESTAMP(3) AS now");
  return row ? row.now.getTime() : Date.now();
}
