export interface ServerState {
  nodeId: string;
  address: string;
  connections: number;
}

/**
 * Spreads new connections over the servers. It chooses the server with the fewest connections, including users who were
 * sent there since the last count; among equals the one that was chosen longest ago.
 */
export class ServerChoice {
  private readonly lastChosen = new Map<string, number>();
  private readonly sent = new Map<string, number>();
  private readonly servers = new Map<string, ServerState>();
  private choices = 0;

  /** Sets a newer count of a server that accepts connections. */
  update(server: ServerState): void {
    this.servers.set(server.nodeId, server);
    this.sent.delete(server.nodeId);
  }

  /** Removes a server that accepts no connections or does not answer, until there is a newer count of it. */
  drop(nodeId: string): void {
    this.servers.delete(nodeId);
    this.sent.delete(nodeId);
  }

  /** Forgets the servers that are not among these. */
  keep(nodeIds: ReadonlySet<string>): void {
    for (const nodeId of this.servers.keys()) if (!nodeIds.has(nodeId)) this.drop(nodeId);
    for (const nodeId of this.lastChosen.keys()) if (!nodeIds.has(nodeId)) this.lastChosen.delete(nodeId);
  }

  /** One of the `live` servers; `undefined` where none accepts connections. */
  choose(live: ReadonlySet<string>): ServerState | undefined {
    const load = ({ nodeId, connections }: ServerState) => connections + (this.sent.get(nodeId) ?? 0);
    const chosenAt = ({ nodeId }: ServerState) => this.lastChosen.get(nodeId) ?? 0;
    const here = [...this.servers.values()].filter(({ nodeId }) => live.has(nodeId));
    const [best] = here.sort((a, b) => load(a) - load(b) || chosenAt(a) - chosenAt(b));
    if (!best) return undefined;
    this.lastChosen.set(best.nodeId, ++this.choices);
    this.sent.set(best.nodeId, (this.sent.get(best.nodeId) ?? 0) + 1);
    return best;
  }
}
