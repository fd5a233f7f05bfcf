import { setTimeout as pause } from "node:timers/promises";
import type { ServiceBroker } from "moleculer";
import { fail } from "../../broker/failure.ts";
import { limits } from "../../config/limits.ts";
import { AnswerCache } from "../../mixins/answer-cache.ts";
import { call } from "../contracts.ts";
import type { NodeCalls } from "./node-calls.ts";
import { ServerChoice, type ServerState } from "./server-choice.ts";

/**
 * The im-servers that accept connections, queried again once the last answers are older than `limits.im.serverListMs`.
 * A server that was killed stays in the registry for some seconds, while all its users ask for an address. So nobody is
 * sent to a server that has not answered a ping within the last `limits.im.serverAliveMs`.
 */
export class ServerList {
  private readonly broker: ServiceBroker;
  private readonly nodes: NodeCalls;
  private readonly choice = new ServerChoice();
  /** Whether a server answers, by its id. */
  private readonly pings = new AnswerCache<string, boolean>({ max: 1_000, ttlMs: limits.im.serverAliveMs });
  private askedAt = Number.NEGATIVE_INFINITY;
  private asking: Promise<void> | undefined;

  constructor(broker: ServiceBroker, nodes: NodeCalls) {
    this.broker = broker;
    this.nodes = nodes;
  }

  /** An address for each of `count` users. Fails: unavailable, where no im-server accepts connections. */
  async pickAddresses(count: number): Promise<string[]> {
    const live = new Set(await this.nodes.live());
    const addresses: string[] = [];
    while (addresses.length < count) {
      const server = await this.pick(live);
      if (!server) throw fail("unavailable", { what: "im-server" });
      addresses.push(server.address);
    }
    return addresses;
  }

  /** One of the `live` nodes; `undefined` where none accepts connections. */
  private async pick(live: ReadonlySet<string>): Promise<ServerState | undefined> {
    if (Date.now() - this.askedAt > limits.im.serverListMs) await this.refresh(live);
    for (let chosen = this.choice.choose(live); chosen; chosen = this.choice.choose(live)) {
      if (await this.answers(chosen.nodeId)) return chosen;
      this.choice.drop(chosen.nodeId);
    }
    await this.refresh(live);
    return this.choice.choose(live);
  }

  /** All callers within `limits.im.serverAliveMs` share one ping. */
  private answers(nodeId: string): Promise<boolean> {
    if (nodeId === this.broker.nodeID) return Promise.resolve(true);
    return this.pings.get(nodeId, async () => (await this.broker.ping(nodeId, limits.im.serverPingMs)) !== null);
  }

  /**
   * Asks all `live` nodes for their counts; concurrent callers share it. After the first server that accepts connections
   * it waits `limits.im.serverPatienceMs` for the others: so users who come together are spread over all servers, and a
   * node that has just died delays nobody. Later answers count when they arrive. Where no server accepts connections, it
   * resolves once all have answered or timed out.
   */
  private refresh(live: ReadonlySet<string>): Promise<void> {
    this.asking ??= this.ask(live).finally(() => {
      this.askedAt = Date.now();
      this.asking = undefined;
    });
    return this.asking;
  }

  private async ask(live: ReadonlySet<string>): Promise<void> {
    const { promise: found, resolve } = Promise.withResolvers<void>();
    this.choice.keep(live);
    const options = { timeout: limits.im.serverListMs, tracking: false } as const;
    const answers = [...live].map(async (nodeId) => {
      try {
        const status = await call(this.broker, "im-server.status", {}, { nodeID: nodeId, ...options });
        if (status.draining) return this.choice.drop(nodeId);
        this.choice.update({ nodeId, ...status });
        resolve();
      } catch {
        // Nobody is sent to a node that does not answer.
        this.choice.drop(nodeId);
      }
    });
    const patience = new AbortController();
    const enough = found.then(() => pause(limits.im.serverPatienceMs, undefined, { signal: patience.signal }));
    try {
      await Promise.race([enough, Promise.all(answers)]);
    } finally {
      enough.catch(() => {});
      patience.abort();
    }
  }
}
