import type { FailureName } from "./errors.ts";
import { serverOperations } from "./generated/failures.ts";
import type { paths } from "./generated/server-api.d.ts";
import { deliver, type GiftResult, newKey, type OutcomeOptions, settledOrder } from "./gifts.ts";
import { type Api, apiOf, type DataAt, type ParamsAt } from "./operations.ts";
import { type CallOptions, IDEMPOTENCY_KEY, Transport, type TransportOptions } from "./transport.ts";

const BASE = "/live/server/v1";

type ServerOperation = keyof typeof serverOperations;
/** The params of an operation of the server API, e.g. `ServerParams<"users/upsert">`. */
export type ServerParams<Operation extends ServerOperation> = ParamsAt<paths, `${typeof BASE}/${Operation}`>;
/** The `data` of an operation of the server API, e.g. `ServerData<"gifts/order">`. */
export type ServerData<Operation extends ServerOperation> = DataAt<paths, `${typeof BASE}/${Operation}`>;
export type ServerApi = Api<paths, typeof BASE, ServerCallOptions>;

export interface ServerCallOptions extends CallOptions {
  /**
   * Of a write: the same key gives the first answer for at least 7 days, also after a restart of your process. Left out,
   * one is made for the call and kept over its repeats. A failed call's error has it as `idempotencyKey`.
   */
  idempotencyKey?: string | undefined;
}

export interface ServerClientOptions extends TransportOptions {
  /** `ovk_...`; a function is asked at every request, for keys that are rotated. Keep it out of browsers. */
  apiKey: string | (() => string | Promise<string>);
}

/** Of each member of a union: those of `gifts/send` have one id or the other of each user and room. */
type WithoutRequestId<Params> = Params extends unknown ? Omit<Params, "requestId"> : never;

export type ServerGift = WithoutRequestId<ServerParams<"gifts/send">> & {
  /** Made for each gift where it is left out. Give one to send a gift again whose outcome is not known. */
  requestId?: string;
};
export type ServerGiftOrder = ServerData<"gifts/order">;

export interface ServerClient {
  /** Every operation of the server API: resolves to `data`, rejects with an OvationError. */
  readonly api: ServerApi;
  readonly gifts: {
    /** Sends a gift for a user, with a request id of its own, and repeats what is safe. */
    send(gift: ServerGift, options?: CallOptions): Promise<GiftResult<ServerGiftOrder>>;
    /** Asks for an order until it is settled; undefined where that is not known in time. */
    outcomeOf(orderId: string, options?: OutcomeOptions): Promise<ServerGiftOrder | undefined>;
  };
}

export function createServerClient(options: ServerClientOptions): ServerClient {
  const transport = new Transport(options);

  async function request(operation: ServerOperation, params: unknown, { signal, idempotencyKey }: ServerCallOptions) {
    const { apiKey } = options;
    const { write, failures } = serverOperations[operation] as { write: boolean; failures: readonly FailureName[] };
    const headers: Record<string, string> = {
      Authorization: `Bearer ${typeof apiKey === "string" ? apiKey : await apiKey()}`,
      ...(write && { [IDEMPOTENCY_KEY]: idempotencyKey ?? newKey() }),
    };
    return { path: `${BASE}/${operation}`, params, headers, failures, signal };
  }

  /** Others may be repeated: they read, or have an idempotency key. */
  const NOT_REPEATED: ServerOperation = "gifts/send"; // `gifts.send` repeats it, and knows what a repeat leaves open.

  async function call(operation: ServerOperation, params: unknown, callOptions: ServerCallOptions = {}) {
    return transport.call(await request(operation, params, callOptions), operation !== NOT_REPEATED);
  }

  async function once(operation: ServerOperation, params: unknown, callOptions: ServerCallOptions) {
    return transport.once(await request(operation, params, callOptions));
  }

  const orderOf = (orderId: string, signal: AbortSignal | undefined) =>
    once("gifts/order", { orderId }, { signal }) as Promise<ServerGiftOrder>;

  return {
    api: apiOf<ServerApi>(Object.keys(serverOperations), call),
    gifts: {
      send: (gift, { signal } = {}) => {
        const requestId = gift.requestId ?? newKey();
        // Not the request id: a refusal is kept under its idempotency key, while a gift that was refused, or is unsure, may
        // be sent again. The request id alone makes it one charge.
        const idempotencyKey = newKey();
        return deliver({
          ...{ requestId, signal, repeats: transport.repeats, isAgain: gift.requestId !== undefined },
          send: () =>
            once("gifts/send", { ...gift, requestId }, { idempotencyKey, signal }) as Promise<{ orderId: string }>,
          order: (orderId) => orderOf(orderId, signal),
        });
      },
      outcomeOf: (orderId, outcomeOptions) =>
        settledOrder(() => orderOf(orderId, outcomeOptions?.signal), outcomeOptions),
    },
  };
}
