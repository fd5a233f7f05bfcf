type Done = (error: { code?: string } | null, ...results: unknown[]) => void;
type Send = (statement: string | { sql: string; timeout?: number }, ...valuesAndDone: unknown[]) => unknown;

/** A connection of mysql2 with callbacks, as Sequelize uses it. */
export interface DrivenConnection {
  query: Send;
  execute: Send;
  destroy(): void;
}

/**
 * Bounds every statement of a connection that Sequelize uses, as mixins/mysql/database.ts bounds its own. A statement
 * without an answer in time fails with PROTOCOL_SEQUENCE_TIMEOUT, and its connection is destroyed: later statements
 * would wait behind the missing answer.
 */
export function limitStatements(connection: DrivenConnection, timeoutMs: number): void {
  // Both use `query`: `execute` prepares first, and nothing bounds that.
  const send = connection.query.bind(connection);
  for (const kind of ["query", "execute"] as const) {
    connection[kind] = (statement, ...valuesAndDone) => {
      const done = valuesAndDone.pop() as Done;
      const values = valuesAndDone.length > 0 ? { values: valuesAndDone[0] } : {};
      const options = typeof statement === "string" ? { sql: statement } : statement;
      const ended: Done = (error, ...results) => {
        if (error?.code === "PROTOCOL_SEQUENCE_TIMEOUT") connection.destroy();
        done(error, ...results);
      };
      return send({ ...options, ...values, timeout: timeoutMs }, ended);
    };
  }
}
