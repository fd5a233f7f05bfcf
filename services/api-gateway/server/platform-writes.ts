import type { ServiceBroker } from "moleculer";
import { isUnavailable } from "../../../broker/failure.ts";
import { ServiceNodes } from "../../../broker/service-nodes.ts";
import { limits } from "../../../config/limits.ts";
import { RequestBatches } from "../../../mixins/request-batches.ts";
import { call, type ParamsOf } from "../../contracts.ts";
import type { BeginOutcome } from "../../platform/platform.contract.ts";

type BegunWrite = ParamsOf<"platform.begin">["writes"][number];
type FinishedWrite = ParamsOf<"platform.finish">["writes"][number];

const { writesPerCall, callsInFlight, writeCallMs, writeWaitMs, nodeLeftOutMs } = limits.platform;
const bounds = { requests: writesPerCall, batches: callsInFlight, waitMs: writeWaitMs } as const;

/**
 * A gateway's calls to the platform service for the idempotency keys of its requests, in groups: requests that arrive
 * while calls run share the next call. Both actions may be repeated, so a call that failed goes to another node once.
 */
export class PlatformWrites {
  private readonly broker: ServiceBroker;
  private readonly nodes: ServiceNodes;
  private turn = 0;
  private readonly beginnings: RequestBatches<BegunWrite, BeginOutcome>;
  private readonly ends: RequestBatches<FinishedWrite, boolean>;

  constructor(broker: ServiceBroker) {
    this.broker = broker;
    this.nodes = new ServiceNodes(broker, "platform");
    this.beginnings = new RequestBatches(
      async (writes) => (await this.ask("platform.begin", { writes })).outcomes,
      bounds,
    );
    this.ends = new RequestBatches(async (writes) => (await this.ask("platform.finish", { writes })).kept, bounds);
  }

  /** Fails: unavailable; then the attempt may have begun. */
  begin(write: BegunWrite): Promise<BeginOutcome> {
    return this.beginnings.add(write);
  }

  /** Whether the end was kept; `false`: another attempt has taken over. Fails: unavailable; then it may have been kept. */
  finish(write: FinishedWrite): Promise<boolean> {
    return this.ends.add(write);
  }

  private async ask<Name extends "platform.begin" | "platform.finish">(action: Name, params: ParamsOf<Name>) {
    try {
      return await this.askOnce(action, params);
    } catch (error) {
      if (!isUnavailable(error)) throw error;
      return await this.askOnce(action, params);
    }
  }

  private async askOnce<Name extends "platform.begin" | "platform.finish">(action: Name, params: ParamsOf<Name>) {
    const ids = this.nodes.ids();
    const nodeID = ids[this.turn++ % Math.max(1, ids.length)];
    try {
      return await call(this.broker, action, params, {
        ...(nodeID === undefined ? {} : { nodeID }),
        ...{ timeout: writeCallMs, tracking: false },
      });
    } catch (error) {
      if (nodeID !== undefined && isUnavailable(error)) this.nodes.leaveOut(nodeID, nodeLeftOutMs);
      throw error;
    }
  }
}
