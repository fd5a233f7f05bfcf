import type { Context, Service, ServiceSchema } from "moleculer";
import { type ChannelDefinition, channelsLifecycle } from "../mixins/jetstream.mixin.ts";
import type { BroadcastEvents, Contracts } from "./contracts.ts";

type Awaitable<T> = T | Promise<T>;

/** One action as its contract wants it: the same parameters in, the same result out. */
interface ActionDefinition<This, Action extends { params: unknown; result: unknown }> {
  params: Readonly<Record<string, unknown>>;
  /** Which node is asked: see broker/rendezvous-strategy.ts. */
  strategy?: "Rendezvous";
  strategyOptions?: { shardKey: string };
  /** Marks a route of operators: each call leaves an audit row (mixins/operator-audit.mixin.ts). */
  operator?: true;
  handler(this: This, ctx: Context<Action["params"]>): Awaitable<Action["result"]>;
}

type ActionDefinitions<This, Actions> = {
  [Name in keyof Actions]: Actions[Name] extends { params: unknown; result: unknown }
    ? ActionDefinition<This, Actions[Name]>
    : never;
};

interface ServiceDefinition<Name extends string, This, Actions> {
  name: Name;
  settings?: Record<string, unknown>;
  dependencies?: string[];
  /** They start in this order, before the service's own `started`, and stop in the reverse one, after its `stopped`. */
  mixins?: unknown[];
  actions: ActionDefinitions<This, Actions>;
  /** Durable channels, started last and stopped first: see mixins/jetstream.mixin.ts. */
  channels?: Record<string, ChannelDefinition<This>>;
  /** Broadcasts of other nodes: evictions. */
  events?: {
    [Event in keyof BroadcastEvents]?: {
      /** An event that does not fit is logged and not handled. */
      params: Readonly<Record<keyof BroadcastEvents[Event], unknown>>;
      handler(this: This, ctx: Context<BroadcastEvents[Event]>): Awaitable<void>;
    };
  };
  methods?: Record<string, (this: This, ...args: never[]) => unknown>;
  created?(this: This): void;
  started?(this: This): Awaitable<void>;
  stopped?(this: This): Awaitable<void>;
}

/**
 * A Moleculer service held to its contract: every action of `Contracts[Name]` must be there with its types, and `this`
 * is the service plus what its mixins and its `created` put on it (`State`).
 */
export function defineService<Name extends keyof Contracts, State extends object = object>(
  definition: ServiceDefinition<Name, Service & State, Contracts[Name]>,
): ServiceSchema {
  const { mixins = [], channels, started, stopped, ...rest } = definition;
  return {
    ...rest,
    // Moleculer starts the mixin that stands last first.
    mixins: [...mixins].reverse(),
    channels,
    started: [started, channels && channelsLifecycle.started].filter(Boolean),
    stopped: [stopped, channels && channelsLifecycle.stopped].filter(Boolean),
  } as unknown as ServiceSchema;
}
