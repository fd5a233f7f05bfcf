import type { ServerResponse } from "node:http";
import type { LRUCache } from "lru-cache";
import type { Service } from "moleculer";
import type { FrontDoor } from "../../mixins/http/front-door.ts";
import type { GatewayRequest } from "../../mixins/http/request-context.ts";
import type { RateLimitState } from "../../mixins/rate-limit.mixin.ts";
import type { AdminListener } from "../admin-settings.ts";
import type { RunningCalls } from "./running-calls.ts";

/** The staff's gateway for its routes. */
export interface AdminGateway extends Service, RateLimitState {
  door: FrontDoor;
  listener: AdminListener;
  /** Digests of sessions that were valid when they last called here. */
  sessionsKnown: LRUCache<string, true>;
  runningCalls: RunningCalls;
}

/** Answers a request. The door handles what it throws. */
export type Serve = (gateway: AdminGateway, request: GatewayRequest, response: ServerResponse) => Promise<void> | void;
