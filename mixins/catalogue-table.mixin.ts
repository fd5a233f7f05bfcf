import type { Service } from "moleculer";
import { toSafeInteger } from "./mysql/database.ts";
import type { MysqlState } from "./mysql.mixin.ts";

/** What a column holds for the service: safe integers, text, parsed JSON, times (UTC). */
interface ValueOf {
  integer: number;
  text: string;
  json: unknown;
  time: Date;
}
type Kind = keyof ValueOf;

/** The columns of a table by the name they have in code, e.g. `{ giftId: ["gift_id", "integer"] }`. */
export type Columns = Readonly<Record<string, readonly [column: string, kind: Kind]>>;
type RowOf<C extends Columns> = { -readonly [Field in keyof C]: ValueOf[C[Field][1]] };
type Field<C extends Columns> = Extract<keyof C, string>;

interface CatalogueQuery<C extends Columns> {
  /** Rows whose fields equal these. */
  query?: Partial<RowOf<C>>;
  /** A field's name, with `-` before it for descending. */
  sort?: Field<C> | `-${Field<C>}`;
  limit?: number;
}

/**
 * All of them fail with `unavailable` where the database cannot be reached. Of what they are given, only the fields that
 * are columns are read.
 */
interface Catalogue<C extends Columns> {
  find(query: CatalogueQuery<C>): Promise<RowOf<C>[]>;
  byId(id: number): Promise<RowOf<C> | null>;
  /**
   * Needs the primary key in the row. Returns the row as stored; committed when it returns.
   * @throws an error that `isDuplicateKey` (mysql/database.ts) knows, where the row is there already.
   */
  insert(row: Partial<RowOf<C>>): Promise<RowOf<C>>;
  /** The row as it is afterwards, `null` where there is none. Committed when it returns. */
  update(id: number, changes: Partial<RowOf<C>>): Promise<RowOf<C> | null>;
}

/** What the mixin puts on a service. */
export interface CatalogueState<C extends Columns> {
  catalogue: Catalogue<C>;
}

interface CatalogueTable<C extends Columns> {
  readonly table: string;
  /** The field (not the column) that is the primary key. */
  readonly primaryKey: Field<C>;
  /** Fields `createTime` and `updateTime`, where there are such, are filled in at insert and update. */
  readonly columns: C;
}

function readValue(kind: Kind, value: unknown): unknown {
  if (value === null) return null;
  if (kind === "integer") return toSafeInteger(value);
  // MariaDB keeps JSON as text and hands it out as such.
  if (kind === "json" && typeof value === "string") return JSON.parse(value);
  return value;
}

function openCatalogue<C extends Columns>(
  { mysql }: MysqlState,
  { table, primaryKey, columns }: CatalogueTable<C>,
): Catalogue<C> {
  const fields = Object.entries(columns);
  const columnOf = (field: string) => columns[field]?.[0];
  const selected = fields.map(([field, [column]]) => `${column} AS ${field}`).join(", ");

  const select = async (rest: string, values: unknown[]): Promise<RowOf<C>[]> => {
    const rows = await mysql.query<Record<string, unknown>>(`SELECT ${selected} FROM ${table} ${rest}`, values);
    return rows.map(
      (row) => Object.fromEntries(fields.map(([field, [, kind]]) => [field, readValue(kind, row[field])])) as RowOf<C>,
    );
  };
  const byId = async (id: number) => (await select(`WHERE ${columnOf(primaryKey)} = ?`, [id]))[0] ?? null;

  /** What is given for columns, as columns and the values to write. */
  const written = (row: Readonly<Record<string, unknown>>) =>
    fields
      .filter(([field]) => row[field] !== undefined)
      .map(([field, [column, kind]]) => ({
        column,
        value: kind === "json" ? JSON.stringify(row[field]) : row[field],
      }));
  const touched = (...names: string[]) => names.map(columnOf).filter((column) => column !== undefined);

  return {
    byId,
    find({ query = {}, sort, limit }) {
      const given = written(query);
      const where = given.length > 0 ? `WHERE ${given.map(({ column }) => `${column} = ?`).join(" AND ")}` : "";
      const order = sort ? `ORDER BY ${columnOf(sort.replace(/^-/, ""))} ${sort.startsWith("-") ? "DESC" : "ASC"}` : "";
      const values = given.map(({ value }) => value);
      return select(`${where} ${order} ${limit ? "LIMIT ?" : ""}`, limit ? [...values, limit] : values);
    },
    async insert(row) {
      const given = written(row);
      const times = touched("createTime", "updateTime");
      const names = [...given.map(({ column }) => column), ...times];
      const places = [...given.map(() => "?"), ...times.map(() => "UTC_TIMESTAMP(3)")];
      const values = given.map(({ value }) => value);
      await mysql.run(`INSERT INTO ${table} (${names.join(", ")}) VALUES (${places.join(", ")})`, values);
      // Read again: what the database filled in, and what it made of the values, is the row.
      const inserted = await byId(row[primaryKey] as number);
      if (!inserted) throw new Error(`the row inserted into ${table} is gone`);
      return inserted;
    },
    async update(id, changes) {
      const given = written(changes);
      const sets = given.map(({ column }) => `${column} = ?`);
      const times = touched("updateTime").map((column) => `${column} = UTC_TIMESTAMP(3)`);
      const values = [...given.map(({ value }) => value), id];
      if (given.length > 0)
        await mysql.run(
          `UPDATE ${table} SET ${[...sets, ...times].join(", ")} WHERE ${columnOf(primaryKey)} = ?`,
          values,
        );
      return byId(id);
    },
  };
}

/**
 * A small table that people edit and that is read whole (gifts, products): typed rows and four methods over the service's
 * own database, on `this.catalogue`. Comes after mysqlMixin. Why not moleculer-db: decision 0014.
 */
export function catalogueTableMixin<C extends Columns>(definition: CatalogueTable<C>) {
  return {
    started(this: Service & MysqlState & Partial<CatalogueState<C>>) {
      this.catalogue = openCatalogue(this, definition);
    },
  };
}
