import type { Middleware, ServiceBroker } from "moleculer";
import { limits } from "../config/limits.ts";
import { afterAnswers } from "./after-answers.ts";

interface WithDiscoverer {
  readonly registry: { readonly discoverer: { checkRemoteNodes(): void; stopHeartbeatTimers(): void } };
}

/**
 * Takes no node for gone before this process has read what had come from it. Where a process stood still, Moleculer's
 * check of heartbeats is due before the heartbeats in its socket are read: it would take every node for gone, and give up
 * the calls that wait for them.
 */
export const heartbeatsFirst: Middleware = {
  name: "HeartbeatsFirst",
  created(broker: ServiceBroker) {
    const { discoverer } = (broker as unknown as WithDiscoverer).registry;
    const check = discoverer.checkRemoteNodes.bind(discoverer);
    const stopTimers = discoverer.stopHeartbeatTimers.bind(discoverer);
    let callOff = () => {};
    discoverer.checkRemoteNodes = () => {
      callOff();
      callOff = afterAnswers(limits.rpc.heartbeatReadMs, check);
    };
    discoverer.stopHeartbeatTimers = () => {
      callOff();
      stopTimers();
    };
  },
};
