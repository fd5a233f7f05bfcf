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
  private servers: readonly ServerState[] = [];
  private choices = 0;

  /** Sets newer counts of the servers that accept connections. */
  update(servers: readonly ServerState[]): void {
    this.servers = servers;
    this.sent.clear();
    const here = new Set(servers.map(({ nodeId }) => nodeId));
    for (const nodeId of this.lastChosen.keys()) if (!here.has(nodeId)) this.lastChosen.delete(nodeId);
  }

  /** Removes a server that does not answer, until a newer count contains it. */
  drop(nodeId: string): void {
    this.servers = this.servers.filter((server) => server.nodeId !== nodeId);
  }

  /** One of the `live` servers; `undefined` where none accepts connections. */
  choose(live: ReadonlySet<string>): ServerState | undefined {
    const load = ({ nodeId, connections }: ServerState) => connections + (this.sent.get(nodeId) ?? 0);
    const chosenAt = ({ nodeId }: ServerState) => this.lastChosen.get(nodeId) ?? 0;
    const here = this.servers.filter(({ nodeId }) => live.has(nodeId));
    const [best] = here.sort((a, b) => load(a) - load(b) || chosenAt(a) - chosenAt(b));
    if (!best) return undefined;
    this.lastChosen.set(best.nodeId, ++this.choices);
    this.sent.set(best.nodeId, (this.sent.get(best.nodeId) ?? 0) + 1);
    return best;
  }
}
