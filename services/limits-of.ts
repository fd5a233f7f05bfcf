/** The names of a table of limits, each with a number in the unit of its name. */
export type Limits<Table> = { readonly [Name in keyof Table]: number };

/**
 * The limits of a service: `table`, with the changes of a test. Tests change limits only by the schema's `settings`: `{
 * ...imServer, settings: { heartbeatTimeoutMs: 300 } }`.
 */
export function limitsOf<Table extends object>(table: Table, service: { readonly settings: object }): Limits<Table> {
  return { ...table, ...service.settings } as Limits<Table>;
}
