import type { ServiceBroker } from "moleculer";
import { fail } from "../../broker/failure.ts";
import { limits } from "../../config/limits.ts";
import { call } from "../contracts.ts";
import type { NodeCalls } from "./node-calls.ts";
import { ServerChoice, type ServerState } from "./server-choice.ts";

/**
 * The im-servers that take connections, asked anew where the last answers are older than `limits.im.serverListMs`. A
 * server that was killed stays listed for some seconds, which is when all its users ask where to go: so nobody is sent
 * to one that has not answered a ping a moment ago.
 */
export class ServerList {
  private readonly broker: ServiceBroker;
  private readonly nodes: NodeCalls;
  private readonly choice = new ServerChoice();
  private readonly pings = new Map<string, { at: number; answered: Promise<boolean> }>();
  private askedAt = Number.NEGATIVE_INFINITY;
  private asking: Promise<void> | undefined;

  constructor(broker: ServiceBroker, nodes: NodeCalls) {
    this.broker = broker;
    this.nodes = nodes;
  }

  /** Fails: unavailable, where no im-server takes connections. */
  async pickAddress(): Promise<string> {
    const server = await this.pick();
    if (!server) throw fail("unavailable", { what: "im-server" });
    return server.address;
  }

  /** `undefined` where there is none. Old answers serve while newer ones are on their way. */
  async pick(): Promise<ServerState | undefined> {
    const live = new Set(await this.nodes.live());
    if (Date.now() - this.askedAt > limits.im.serverListMs) this.refresh([...live]);
    for (let chosen = this.choice.choose(live); chosen; chosen = this.choice.choose(live)) {
      if (await this.answers(chosen.nodeId)) return chosen;
      this.choice.drop(chosen.nodeId);
    }
    await this.refresh([...live]);
    return this.choice.choose(live);
  }

  /** One ping for all who ask within `limits.im.serverAliveMs`. */
  private answers(nodeId: string): Promise<boolean> {
    if (nodeId === this.broker.nodeID) return Promise.resolve(true);
    const last = this.pings.get(nodeId);
    if (last && Date.now() - last.at < limits.im.serverAliveMs) return last.answered;
    const answered = this.broker.ping(nodeId, limits.im.serverPingMs).then((pong) => pong !== null);
    this.pings.set(nodeId, { at: Date.now(), answered });
    return answered;
  }

  private refresh(live: readonly string[]): Promise<void> {
    this.asking ??= this.ask(live).finally(() => {
      this.asking = undefined;
    });
    return this.asking;
  }

  private async ask(live: readonly string[]): Promise<void> {
    const options = { timeout: limits.im.serverListMs, tracking: false } as const;
    const answers = await Promise.allSettled(
      live.map(async (nodeID) => {
        const status = await call(this.broker, "im-server.status", {}, { nodeID, ...options });
        return { nodeId: nodeID, ...status };
      }),
    );
    // A node that does not answer is none to send people to.
    const answered = answers.flatMap((answer) => (answer.status === "fulfilled" ? [answer.value] : []));
    this.choice.update(answered.filter(({ draining }) => !draining));
    this.askedAt = Date.now();
    for (const nodeId of this.pings.keys()) if (!live.includes(nodeId)) this.pings.delete(nodeId);
  }
}
