import type { Service } from "moleculer";
import DbService from "moleculer-db";
import SequelizeDbAdapter from "moleculer-db-adapter-sequelize";
import { BaseError, ConnectionError, DataTypes, TimeoutError } from "sequelize";
import { outage } from "../broker/failure.ts";
import { isStatementFault } from "../broker/outages.ts";
import { limits } from "../config/limits.ts";
import { toSafeInteger } from "./mysql/database.ts";
import { connectionOptions, Freshness } from "./mysql/sequelize-connections.ts";
import type { MysqlState } from "./mysql.mixin.ts";

/** The type of a column's values in the service: safe integers, text, parsed JSON, times (UTC). */
const kinds = {
  integer: { type: DataTypes.BIGINT },
  text: { type: DataTypes.STRING },
  json: { type: DataTypes.JSON },
  time: { type: DataTypes.DATE(3) },
};

type Kind = keyof typeof kinds;
interface ValueOf {
  integer: number;
  text: string;
  json: unknown;
  time: Date;
}

/** The columns of a table by their names in code, e.g. `{ giftId: ["gift_id", "integer"] }`. */
export type Columns = Readonly<Record<string, readonly [column: string, kind: Kind]>>;
type RowOf<C extends Columns> = { -readonly [Field in keyof C]: ValueOf[C[Field][1]] };

interface CatalogueQuery<C extends Columns> {
  /** Rows whose fields equal these. */
  query?: Partial<RowOf<C>>;
  /** A field's name, with `-` before it for descending. */
  sort?: Extract<keyof C, string> | `-${Extract<keyof C, string>}`;
  limit?: number;
}

/** All methods fail with `unavailable` where the database cannot be reached. */
interface Catalogue<C extends Columns> {
  find(query: CatalogueQuery<C>): Promise<RowOf<C>[]>;
  byId(id: number): Promise<RowOf<C> | null>;
  /** The rows of those of the ids that exist, in one query. */
  byIds(ids: readonly number[]): Promise<RowOf<C>[]>;
  /**
   * The row must contain the primary key. @throws an error for which `isDuplicateKey` (mysql/database.ts) is true,
   * where the row exists.
   */
  insert(row: Partial<RowOf<C>>): Promise<RowOf<C>>;
  /** Returns the row after the update, `null` where there is none. Committed when it returns. */
  update(id: number, changes: Partial<RowOf<C>>): Promise<RowOf<C> | null>;
}

/** The state that the mixin adds to a service. */
export interface CatalogueState<C extends Columns> {
  catalogue: Catalogue<C>;
}

interface CatalogueTable<C extends Columns> {
  /** The service in whose database the table is. */
  readonly service: string;
  readonly table: string;
  /** The field (not the column) that is the primary key. */
  readonly primaryKey: Extract<keyof C, string>;
  /** Fields `createTime` and `updateTime`, if declared, are set at insert and update. */
  readonly columns: C;
  readonly statementTimeoutMs?: number;
}

/**
 * Opens its own Sequelize instance when the service starts. Moleculer deep-clones schemas, which would break an
 * instance in the schema; and settings must not be read while modules load.
 */
class CatalogueAdapter extends SequelizeDbAdapter {
  private readonly owner: string;
  private readonly statementTimeoutMs: number;

  constructor(owner: string, statementTimeoutMs: number) {
    super({});
    this.owner = owner;
    this.statementTimeoutMs = statementTimeoutMs;
  }

  override connect() {
    // Where the adapter keeps the options for Sequelize; the field is missing in its types.
    const { mysql } = (this as unknown as { service: Service & MysqlState }).service;
    const freshness = new Freshness(() => mysql.generation);
    Object.assign(this, {
      opts: [connectionOptions(this.owner, this.statementTimeoutMs, freshness, () => mysql.server())],
    });
    return super.connect();
  }
}

/** Converts Sequelize's errors to those of the driver, where the statement is wrong, else to `unavailable`. */
function translated(error: unknown, table: string): unknown {
  const original = (error as { original?: unknown }).original;
  if (error instanceof ConnectionError || error instanceof TimeoutError) return outage(error, { table });
  if (original === undefined)
    return error instanceof BaseError || isStatementFault(error) ? error : outage(error, { table });
  return isStatementFault(original) ? original : outage(original, { table });
}

function readValue(kind: Kind, value: unknown): unknown {
  if (value === null) return null;
  if (kind === "integer") return toSafeInteger(value);
  // MariaDB stores JSON as text and returns it as text.
  if (kind === "json" && typeof value === "string") return JSON.parse(value);
  return value;
}

interface Entity {
  get(options: { plain: true }): Record<string, unknown>;
}

function openCatalogue<C extends Columns>({ adapter, mysql }: Internals, definition: CatalogueTable<C>): Catalogue<C> {
  const read = (entity: Entity): RowOf<C> => {
    const plain = entity.get({ plain: true });
    const fields = Object.entries(definition.columns).map(([field, [, kind]]) => [
      field,
      readValue(kind, plain[field] ?? null),
    ]);
    return Object.fromEntries(fields);
  };
  const guarded = async <T>(work: () => PromiseLike<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw translated(error, definition.table);
    }
  };
  const byId = async (id: number) => {
    const entity = (await guarded(() => adapter.findById(id))) as Entity | null;
    return entity && read(entity);
  };
  return {
    byId,
    async byIds(ids) {
      return ((await guarded(() => adapter.find({ query: { [definition.primaryKey]: [...ids] } }))) as Entity[]).map(
        read,
      );
    },
    async find(query) {
      const { sort, ...filter } = query;
      const sorted = sort ? { ...filter, sort: [sort] } : filter;
      return ((await guarded(() => adapter.find(sorted))) as Entity[]).map(read);
    },
    async insert(row) {
      await mysql.requirePrimary();
      await guarded(() => adapter.insert(row));
      // The row is read again, since the database sets defaults and converts values.
      const inserted = await byId(row[definition.primaryKey] as number);
      if (!inserted) throw new Error(`the row inserted into ${definition.table} cannot be found`);
      return inserted;
    },
    async update(id, changes) {
      await mysql.requirePrimary();
      const found = await guarded(() => adapter.updateById(id, { $set: changes }));
      return found ? byId(id) : null;
    },
  };
}

function modelOf<C extends Columns>({ table, primaryKey, columns }: CatalogueTable<C>) {
  const attributes = Object.entries(columns).map(([field, [column, kind]]) => [
    field,
    { ...kinds[kind], field: column, primaryKey: field === primaryKey },
  ]);
  return {
    name: table,
    define: Object.fromEntries(attributes),
    options: {
      tableName: table,
      timestamps: true,
      createdAt: "createTime" in columns ? "createTime" : false,
      updatedAt: "updateTime" in columns ? "updateTime" : false,
    },
  };
}

interface Internals extends CatalogueState<Columns>, MysqlState {
  adapter: SequelizeDbAdapter;
  connect(): Promise<void>;
}

/**
 * A table that staff edits and that is read whole (gifts, products), through moleculer-db. Comes after mysqlMixin,
 * which has migrated the database by then. Only the adapter of moleculer-db is used. Its actions are left out, since a
 * service offers the actions of its contract. Its start is left out, since it would wait for a database for ever.
 */
export function catalogueTableMixin<C extends Columns>(definition: CatalogueTable<C>) {
  const {
    actions: _notOffered,
    started: _endless,
    stopped: _unsafe,
    ...dbService
  } = DbService as unknown as Record<string, unknown>;
  return {
    ...dbService,
    adapter: new CatalogueAdapter(definition.service, definition.statementTimeoutMs ?? limits.mysql.statementTimeoutMs),
    model: modelOf(definition),
    async started(this: Service & Internals) {
      await this.connect();
      this.catalogue = openCatalogue(this, definition) as unknown as Catalogue<Columns>;
    },
    async stopped(this: Service & Partial<Internals>) {
      await this.adapter?.disconnect();
    },
  };
}
