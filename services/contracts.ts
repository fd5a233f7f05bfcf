import type { Context, ServiceBroker } from "moleculer";
import { z } from "zod";
import type { ActionContract, EventsOf } from "./action-contract.ts";
import type { archiverActions } from "./archiver/archiver.contract.ts";
import { type auditorActions, auditorEvents } from "./auditor/auditor.contract.ts";
import { type battleActions, battleEvents } from "./battle/battle.contract.ts";
import { id, userId } from "./fields.ts";
import { type giftActions, giftEvents } from "./gift/gift.contract.ts";
import type { imRouterActions } from "./im-router/im-router.contract.ts";
import type { imServerActions } from "./im-server/im-server.contract.ts";
import { type livingRoomActions, livingRoomEvents } from "./living-room/living-room.contract.ts";
import type { notificationActions } from "./notification/notification.contract.ts";
import { type PaymentTopics, type paymentActions, paymentEvents } from "./payment/payment.contract.ts";
import { type platformActions, platformBroadcasts, platformEvents } from "./platform/platform.contract.ts";
import type { provisionerActions } from "./provisioner/provisioner.contract.ts";
import type { rankActions } from "./rank/rank.contract.ts";
import { type staffActions, staffEvents } from "./staff/staff.contract.ts";
import { type userActions, userBroadcasts, userEvents } from "./user/user.contract.ts";
import { type walletActions, walletEvents } from "./wallet/wallet.contract.ts";
import { type webhookActions, webhookEvents } from "./webhook/webhook.contract.ts";

/** All actions between services, by service and name. */
export interface Contracts {
  user: typeof userActions;
  "living-room": typeof livingRoomActions;
  gift: typeof giftActions;
  wallet: typeof walletActions;
  payment: typeof paymentActions;
  "im-router": typeof imRouterActions;
  "im-server": typeof imServerActions;
  notification: typeof notificationActions;
  auditor: typeof auditorActions;
  provisioner: typeof provisionerActions;
  battle: typeof battleActions;
  rank: typeof rankActions;
  platform: typeof platformActions;
  webhook: typeof webhookActions;
  staff: typeof staffActions;
  archiver: typeof archiverActions;
}

/** The durable events of stream EVENTS, by name: the schema of `data` in `{id, name, time, data}`. */
export const durableEvents = {
  ...userEvents,
  ...livingRoomEvents,
  ...giftEvents,
  ...walletEvents,
  ...paymentEvents,
  ...battleEvents,
  ...auditorEvents,
  ...platformEvents,
  ...webhookEvents,
  ...staffEvents,
};
export type DurableEventName = keyof typeof durableEvents;
export type DurableEvents = EventsOf<typeof durableEvents>;

/** An event as stored in the stream; `id` is the same in every redelivery. */
export interface EventMessage<N extends DurableEventName = DurableEventName> {
  id: string;
  name: N;
  time: string;
  data: DurableEvents[N];
}

export type { PaymentTopics };

/** Broadcasts, e.g. to empty caches. They may be lost: never use them for money. */
export const broadcastEvents = {
  /** A gift of the catalogue changed: remove it from caches. */
  "gift.catalogue-changed": z.object({ giftId: id }),
  /** A live room opened or closed: remove it from caches. */
  "living-room.changed": z.object({ roomId: id }),
  /** An account was frozen or unfrozen: remove its status from caches. */
  "wallet.account-changed": z.object({ userId }),
  ...userBroadcasts,
  ...platformBroadcasts,
};
export type BroadcastEvents = EventsOf<typeof broadcastEvents>;

type ServiceName = keyof Contracts;
export type ActionName = { [S in ServiceName]: `${S}.${Extract<keyof Contracts[S], string>}` }[ServiceName];
type ActionOf<N extends ActionName> = N extends `${infer S}.${infer A}`
  ? S extends ServiceName
    ? A extends keyof Contracts[S]
      ? Contracts[S][A]
      : never
    : never
  : never;
/** The caller's parameters: fields with a default are optional. */
export type ParamsOf<N extends ActionName> = ActionOf<N> extends ActionContract<infer P, unknown> ? z.input<P> : never;
export type ResultOf<N extends ActionName> = ActionOf<N> extends ActionContract<z.ZodType, infer R> ? R : never;

interface CallOptions {
  nodeID?: string;
  timeout?: number;
  /** False where the called node may be dead: a stop of this node does not wait for its answer. */
  tracking?: false;
  /** For the callee's logs; a context passes its own on. */
  requestID?: string;
  /** The traces that the call is a part of (broker/tracing/); a context passes its own on. */
  meta?: { traces: string[] };
}

/**
 * Calls an action of another service by its contract. A context passes its request id on; with the broker, give one
 * where there is one. Rejects with the callee's failure (a plain Moleculer error whose `type` is a failure's name, see
 * broker/failure.ts), or with Moleculer's own time-out and not-available errors.
 */
export function call<N extends ActionName>(
  caller: Pick<Context, "call"> | Pick<ServiceBroker, "call">,
  action: N,
  params: ParamsOf<N>,
  options?: CallOptions,
): Promise<ResultOf<N>> {
  return (caller as Pick<ServiceBroker, "call">).call(
    action,
    params as Record<string, unknown>,
    options as never,
  ) as Promise<ResultOf<N>>;
}

/**
 * Tells every node to remove or read again some cached data. A node that is away does not get it: never use it for
 * money.
 */
export function broadcast<N extends keyof BroadcastEvents>(
  caller: Pick<ServiceBroker, "broadcast">,
  event: N,
  payload: BroadcastEvents[N],
): Promise<unknown> {
  return Promise.resolve(caller.broadcast(event, payload));
}
