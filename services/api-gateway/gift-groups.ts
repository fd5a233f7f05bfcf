import { Errors, type ServiceBroker } from "moleculer";
import { fail, leftUnanswered, reachedNobody } from "../../broker/failure.ts";
import { ServiceNodes } from "../../broker/service-nodes.ts";
import { config } from "../../config/config.ts";
import { limits } from "../../config/limits.ts";
import { nodeOfPartition } from "../../mixins/jetstream/partitions.ts";
import { call, type ParamsOf } from "../contracts.ts";
import type { GiftAnswer } from "../gift/gift.contract.ts";
import { partitionOf } from "../gift-partitions.ts";

/** A gift as `gift.send` takes it. */
export type GiftParams = ParamsOf<"gift.send">;

export interface GiftGroupPorts {
  /** The ids of the gift nodes, sorted. */
  nodes(): readonly string[];
  /** A node turned out not to have the service: `nodes` is without it until the nodes change. */
  leaveOut(nodeId: string): void;
  /** One answer for each gift, in their order. Rejects where the group as a whole has no answer. */
  sendMany(nodeId: string, gifts: readonly GiftParams[], requestId: string | undefined): Promise<readonly GiftAnswer[]>;
  /** Calls back in this turn of the event loop, after the requests that arrived together. */
  soon(callback: () => void): void;
  /** Calls back after a time, unless the returned function is called before. */
  later(callback: () => void, ms: number): () => void;
  nowMs(): number;
  /** A gift that has waited this long is not sent, since its client would give up before the answer. */
  readonly staleMs: number;
}

interface Waiting {
  readonly gift: GiftParams;
  readonly requestId: string | undefined;
  readonly since: number;
  /** Its group was sent to a node that went away without an answer. */
  wasSent?: true;
  resolve(answer: GiftAnswer): void;
  reject(error: unknown): void;
}

/** The gifts for one node: those that wait, and the groups that were sent and are not answered, by their times. */
class Line {
  readonly underWay = new Set<{ readonly since: number }>();
  waiting: Waiting[] = [];
  /** How many gifts of each user wait. */
  readonly waitingOf = new Map<string, number>();
  isScheduled = false;
  /** Stops the timer, while there is one. */
  stopTimer: (() => void) | undefined;
}

const bounds = limits.gift;

/**
 * Sends gifts to the gift nodes in groups: the gifts that arrive while groups are unanswered are the next group. No
 * timer delays them, so a single gift is sent at once. All gifts of a sender go to one node, the one that pulls the
 * sender's partition. A group has at most `limits.gift.groupGifts` gifts.
 *
 * `limits.gift.groupsInFlight` groups to a node are unanswered at a time. A group that takes longer than
 * `limits.gift.groupFreshMs` waits for something that others may not need, so it does not count, up to
 * `limits.gift.groupsInFlightMax` groups in all. While gifts wait only for this, a timer ends when the oldest counted
 * group has taken that long.
 */
export class GiftGroups {
  private readonly ports: GiftGroupPorts;
  private readonly lines = new Map<string, Line>();

  constructor(ports: GiftGroupPorts) {
    this.ports = ports;
  }

  /**
   * The answer to one gift. Rejects with Moleculer's error where the call has no answer. Fails: unavailable, where too
   * many gifts wait, of all users or of this one, or it has waited too long; this request does not accept it then.
   */
  send(gift: GiftParams, requestId?: string): Promise<GiftAnswer> {
    return new Promise((resolve, reject) => {
      this.put({ gift, requestId, since: this.ports.nowMs(), resolve, reject });
    });
  }

  private put(one: Waiting): void {
    const nodes = this.ports.nodes();
    if (nodes.length === 0) {
      one.reject(new Errors.ServiceNotFoundError({ action: "gift.sendMany" }));
      return;
    }
    const nodeId = nodeOfPartition(partitionOf(one.gift.userId), nodes);
    let line = this.lines.get(nodeId);
    if (!line) {
      line = new Line();
      this.lines.set(nodeId, line);
    }
    if (line.waiting.length >= bounds.groupWaitingGifts) {
      one.reject(fail("unavailable", { cause: "too many gifts wait", nodeId, beforeLookup: true }));
      return;
    }
    const { userId } = one.gift;
    const own = line.waitingOf.get(userId) ?? 0;
    if (own >= bounds.groupWaitingGiftsOfUser) {
      one.reject(fail("unavailable", { cause: "too many gifts of this user wait", nodeId, beforeLookup: true }));
      return;
    }
    line.waitingOf.set(userId, own + 1);
    line.waiting.push(one);
    this.schedule(nodeId, line);
  }

  private schedule(nodeId: string, line: Line): void {
    if (line.isScheduled) return;
    if (!this.mayStart(line)) {
      this.lookLater(nodeId, line);
      return;
    }
    line.isScheduled = true;
    this.ports.soon(() => {
      line.isScheduled = false;
      while (line.waiting.length > 0 && this.mayStart(line)) void this.start(nodeId, line);
      if (line.waiting.length > 0) this.lookLater(nodeId, line);
    });
  }

  private mayStart({ underWay }: Line): boolean {
    if (underWay.size < bounds.groupsInFlight) return true;
    if (underWay.size >= bounds.groupsInFlightMax) return false;
    return this.freshOf(underWay).length < bounds.groupsInFlight;
  }

  /** The times of the groups that were sent within `limits.gift.groupFreshMs`, the oldest first. */
  private freshOf(underWay: Line["underWay"]): number[] {
    const freshSince = this.ports.nowMs() - bounds.groupFreshMs;
    return [...underWay].map(({ since }) => since).filter((since) => since > freshSince);
  }

  /** Schedules again when the oldest counted group stops to count. At the greatest number only an answer makes room. */
  private lookLater(nodeId: string, line: Line): void {
    const [oldest] = this.freshOf(line.underWay);
    if (line.stopTimer || oldest === undefined || line.underWay.size >= bounds.groupsInFlightMax) return;
    line.stopTimer = this.ports.later(
      () => {
        line.stopTimer = undefined;
        this.schedule(nodeId, line);
      },
      oldest + bounds.groupFreshMs - this.ports.nowMs(),
    );
  }

  /** Sends the next group. Never rejects. */
  private async start(nodeId: string, line: Line): Promise<void> {
    const group = this.take(line);
    if (group.length === 0) return;
    const passage = { since: this.ports.nowMs() };
    line.underWay.add(passage);
    try {
      const gifts = group.map(({ gift }) => gift);
      const answers = await this.ports.sendMany(nodeId, gifts, group[0]?.requestId);
      for (const [at, { resolve, reject }] of group.entries()) {
        const answer = answers[at];
        if (answer && !(group[at]?.wasSent && "failure" in answer)) resolve(answer);
        else reject(fail("internal", { nodeId, cause: "a gift of a group has no answer" }));
      }
    } catch (error) {
      this.failed(nodeId, group, error);
    } finally {
      line.underWay.delete(passage);
      if (line.waiting.length > 0) this.schedule(nodeId, line);
      else if (line.underWay.size === 0) this.lines.delete(nodeId);
    }
  }

  /** The gifts of the next group. Those that have waited for too long are refused. */
  private take(line: Line): Waiting[] {
    const group = line.waiting.splice(0, bounds.groupGifts);
    if (line.waiting.length === 0) {
      line.stopTimer?.();
      line.stopTimer = undefined;
    }
    for (const { gift } of group) {
      const left = (line.waitingOf.get(gift.userId) ?? 0) - 1;
      if (left > 0) line.waitingOf.set(gift.userId, left);
      else line.waitingOf.delete(gift.userId);
    }
    const staleSince = this.ports.nowMs() - this.ports.staleMs;
    if ((group[0]?.since ?? 0) > staleSince) return group;
    return group.filter(({ since, reject }) => {
      if (since <= staleSince)
        reject(fail("unavailable", { cause: "it has waited too long for its group", beforeLookup: true }));
      return since > staleSince;
    });
  }

  /**
   * A group that reached no service is sent to another node; each try leaves a node out, so the tries end. So is, once,
   * a group whose node went away without an answer. Of that try only an acceptance is certain: a gift without a request id
   * may have been accepted by the node that went away, and now be refused for what it cost.
   */
  private failed(nodeId: string, group: readonly Waiting[], error: unknown): void {
    const wentAway = leftUnanswered(error);
    if (reachedNobody(error) || wentAway) this.ports.leaveOut(nodeId);
    const isElsewhere = (reachedNobody(error) || wentAway) && !this.ports.nodes().includes(nodeId);
    for (const one of group)
      if (!isElsewhere || (wentAway && one.wasSent)) one.reject(error);
      // Whatever happens to it elsewhere, the node that went away may have accepted it.
      else this.put(wentAway ? { ...one, wasSent: true, reject: () => one.reject(error) } : one);
  }
}

const groupsOf = new WeakMap<ServiceBroker, GiftGroups>();

/** The groups of this node. */
export function giftGroups(broker: ServiceBroker): GiftGroups {
  const known = groupsOf.get(broker);
  if (known) return known;
  const nodes = new ServiceNodes(broker, "gift");
  const made = new GiftGroups({
    nodes: () => nodes.ids(),
    leaveOut: (nodeId) => nodes.leaveOut(nodeId),
    async sendMany(nodeID, gifts, requestID) {
      const about = { nodeID, ...(requestID === undefined ? {} : { requestID }) };
      return (await call(broker, "gift.sendMany", { gifts: [...gifts] }, about)).answers;
    },
    soon: (callback) => setImmediate(callback),
    later(callback, ms) {
      const timer = setTimeout(callback, ms);
      return () => clearTimeout(timer);
    },
    nowMs: () => performance.now(),
    staleMs: config().CALL_TIMEOUT_MS * bounds.staleShareOfTimeout,
  });
  groupsOf.set(broker, made);
  return made;
}
