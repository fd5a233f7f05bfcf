import type { NatsConnection } from "nats";

/** What nats-server did not let a connection's user do. */
export interface Refusal {
  readonly operation: "publish" | "subscription";
  readonly subject: string;
}

/**
 * Passes on what the server refuses to a connection, until the connection is closed. The server tells a refused
 * publication apart from the publication itself: whoever waits for its answer would wait in vain.
 */
export async function watchRefusals(connection: NatsConnection, refused: (refusal: Refusal) => void): Promise<void> {
  const status = connection.status() as AsyncIterable<{ readonly permissionContext?: Refusal }>;
  for await (const { permissionContext } of status) if (permissionContext) refused(permissionContext);
}
