/** The names of a table of limits, each with a number in the unit that its name says. */
export type Limits<Table> = { readonly [Name in keyof Table]: number };

/**
 * The limits of a service: `table`, and what a test changes. The one way to do that is the schema's `settings`, with
 * those few names: `{ ...imServer, settings: { heartbeatTimeoutMs: 300 } }`. No other code sets them.
 */
export function limitsOf<Table extends object>(table: Table, service: { readonly settings: object }): Limits<Table> {
  return { ...table, ...service.settings } as Limits<Table>;
}
