import type { Context, Service, ServiceSchema } from "moleculer";
import type { z } from "zod";
import { type ChannelDefinition, channelsLifecycle } from "../mixins/jetstream.mixin.ts";
import { type ActionContract, type ActionContracts, checkParams } from "./action-contract.ts";
import { type BroadcastEvents, broadcastEvents, type Contracts } from "./contracts.ts";
import { safeParse } from "./safe-parse.ts";

type Awaitable<T> = T | Promise<T>;

/** An action as its contract requires it: the same parameters and the same result. */
interface ActionDefinition<This, Params, Result> {
  /** How the node is chosen: see broker/rendezvous-strategy.ts. */
  strategy?: "Rendezvous";
  strategyOptions?: { shardKey: string };
  /** Marks an operators' action: each call writes an audit row (mixins/operator-audit.mixin.ts). */
  operator?: true;
  /**
   * The outcome in that row, by a result that says itself what failed; `undefined`: it has succeeded. Not for actions
   * whose outcome the auditor reads (auditor/checks/audited-terms.ts): it knows `succeeded` and failures alone.
   */
  outcomeOf?(result: Result): string | undefined;
  handler(this: This, ctx: Context<Params>): Awaitable<Result>;
}

/** The actions of a contract, or of a part of it. */
export type ActionDefinitions<This, Actions> = {
  [Name in keyof Actions]: Actions[Name] extends ActionContract<infer Params, infer Result>
    ? ActionDefinition<This, z.output<Params>, Result>
    : never;
};

/** A channel of a service; without `durable`, its consumer is named after the service and the channel's key. */
type ServiceChannel<This> = Omit<ChannelDefinition<This>, "durable"> & { readonly durable?: string };

interface ServiceDefinition<Name extends string, This, Actions> {
  name: Name;
  /** The contract: its schemas check the parameters of the actions. */
  contract: Actions;
  settings?: Record<string, unknown>;
  dependencies?: string[];
  /**
   * They start in this order, before the service's own `started`, and stop in the reverse order, after its `stopped`.
   */
  mixins?: unknown[];
  actions: ActionDefinitions<This, Actions>;
  /** Durable channels, started last and stopped first: see mixins/jetstream.mixin.ts. */
  channels?: Record<string, ServiceChannel<This>>;
  /** Broadcasts of other nodes. */
  events?: {
    [Event in keyof BroadcastEvents]?: { handler(this: This, ctx: Context<BroadcastEvents[Event]>): Awaitable<void> };
  };
  methods?: Record<string, (this: This, ...args: never[]) => unknown>;
  created?(this: This): void;
  started?(this: This): Awaitable<void>;
  stopped?(this: This): Awaitable<void>;
}

interface MergedSchema {
  name: string;
  actions: Record<string, { handler(this: unknown, ctx: Context<unknown>): unknown }>;
  events?: Record<string, { handler(this: Service, ctx: Context<unknown>): unknown }>;
}

/**
 * Makes every action check its parameters first, wherever a call comes from. It runs after the mixins are merged, so
 * code that a mixin puts around an action (the operators' audit) gets checked parameters.
 */
function checkActions(contract: ActionContracts, { name: service, actions }: MergedSchema): void {
  for (const [name, { params }] of Object.entries(contract)) {
    const action = actions[name];
    if (!action) continue;
    const { handler } = action;
    action.handler = function checked(ctx) {
      ctx.params = checkParams(params, ctx.params, `${service}.${name}`);
      return handler.call(this, ctx);
    };
  }
}

/** A broadcast that does not match its schema is logged and not handled: nobody waits for an answer. */
export function checkEvents({ events = {} }: Pick<MergedSchema, "events">): void {
  for (const [name, event] of Object.entries(events)) {
    // Moleculer's own events, which begin with $, do not leave their node.
    if (name.startsWith("$")) continue;
    const schema = broadcastEvents[name as keyof typeof broadcastEvents];
    const { handler } = event;
    event.handler = function checked(ctx) {
      const params = safeParse(schema, ctx.params);
      if (!params.success) {
        this.logger.warn(
          { event: name, sender: ctx.nodeID },
          "a broadcast does not match its schema and is not handled",
        );
        return;
      }
      ctx.params = params.data;
      return handler.call(this, ctx);
    };
  }
}

/** `giftFailed` of notification is `notification-gift-failed`. */
function durableOf(service: string, channel: string): string {
  return `${service}-${channel.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/**
 * Defines a Moleculer service by its contract: every action of `Contracts[Name]` must be there with its types. `this`
 * is the service with the state that its mixins and its `created` add (`State`).
 */
export function defineService<Name extends keyof Contracts, State extends object = object>(
  definition: ServiceDefinition<Name, Service & State, Contracts[Name]>,
): ServiceSchema {
  const { contract, mixins = [], channels, started, stopped, ...rest } = definition;
  return {
    ...rest,
    merged(schema: MergedSchema) {
      checkActions(contract as ActionContracts, schema);
      checkEvents(schema);
    },
    // Moleculer starts the last mixin first.
    mixins: [...mixins].reverse(),
    channels: Object.fromEntries(
      Object.entries(channels ?? {}).map(([key, channel]) => [key, { durable: durableOf(rest.name, key), ...channel }]),
    ),
    started: [started, channels && channelsLifecycle.started].filter(Boolean),
    stopped: [stopped, channels && channelsLifecycle.stopped].filter(Boolean),
  } as unknown as ServiceSchema;
}
