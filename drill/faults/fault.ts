import type { NatsConnection } from "nats";
import type { Closing } from "../../bench/support/closing.ts";
import type { BenchServers } from "../../bench/support/servers.ts";
import type { HaStack } from "../../scripts/stack/ha/ha-stack.ts";
import type { DrillNodes } from "../system/nodes.ts";

/** What a fault may use. */
export interface Drilled {
  readonly nodes: DrillNodes;
  readonly ha: HaStack;
  readonly servers: BenchServers;
  readonly closing: Closing;
  /** An administrator's connection to NATS. */
  readonly nats: NatsConnection;
  readonly progress: (line: string) => void;
}

/** A fault under load. */
export interface Underway extends Drilled {
  /**
   * Resolves once gifts are accepted and settled as they were before the fault, or are still not after a minute. Returns
   * whether they are.
   */
  flows(): Promise<boolean>;
  /** Connected viewers by the id of their im-server's node. */
  viewersAt(): Promise<Readonly<Record<string, number>>>;
}

/** Resolves when the fault is over and everything has joined again. Returns what a reader of the row should know. */
export type Fault = (underway: Underway) => Promise<string | undefined>;

export interface DrillRow {
  /** By which it is chosen, e.g. `kill-wallet`. */
  readonly name: string;
  readonly title: string;
  readonly fault: Fault;
  /** Of `--short`. */
  readonly isShort?: boolean;
  /** Second nodes need wires, or clocks that can be shifted. */
  readonly needsWires?: boolean;
  /** Done before the load begins, and after the comparison. */
  readonly before?: (drilled: Drilled) => Promise<void>;
  readonly after?: (drilled: Drilled) => Promise<void>;
  /** Why it cannot be run here. */
  readonly obstacle?: () => string | undefined;
}
