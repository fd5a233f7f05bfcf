import type { ServerResponse } from "node:http";
import type { Service } from "moleculer";
import type { FrontDoor } from "../../mixins/http/front-door.ts";
import type { GatewayRequest } from "../../mixins/http/request-context.ts";
import type { RateLimitState } from "../../mixins/rate-limit.mixin.ts";
import type { LoginsState } from "./logins/logins.mixin.ts";
import type { ServerApiState } from "./server/server-api.mixin.ts";

/** The gateway for its routes. */
export interface Gateway extends Service, RateLimitState, LoginsState, ServerApiState {
  door: FrontDoor;
  answerFailure(request: GatewayRequest, response: ServerResponse, error: unknown): void;
}

/** Answers a request. `answerFailure` handles what it throws. */
export type Serve = (gateway: Gateway, request: GatewayRequest, response: ServerResponse) => Promise<void> | void;

/** A method and a path, e.g. `GET /metrics`, and what answers there. */
export type Route = readonly [name: string, serve: Serve];
