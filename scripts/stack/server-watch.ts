import { setTimeout as pause } from "node:timers/promises";
import { limits } from "../../config/limits.ts";
import {
  initialState,
  next,
  type ProcessEvent,
  pauseMs,
  type RestartLimits,
  type RestartState,
} from "../restart-policy.ts";
import { adopt, launchAll, type Up } from "./bring-up.ts";
import { logTail } from "./process-host.ts";
import { commandLine } from "./processes.ts";
import { messageOf } from "./wait.ts";

export interface WatchOptions {
  /** Called with a line for people when a server ended by itself, is restarted or is given up. */
  tell: (line: string) => void;
  limits?: RestartLimits;
  /** The interval of checks of each server, ms; by default that of `limits.restarts` for processes and containers. */
  checkEveryMs?: number;
}

interface Watched extends WatchOptions {
  servers: readonly Up[];
  /** Whether this process still counts as a user of the servers; false after `npm run stack -- stop --force`. */
  isUser: () => boolean;
  locked: <T>(task: () => Promise<T>) => Promise<T>;
}

/** `notOurs`: it has ended, and this process is no longer a user of the servers. */
type Seen = { is: "running" | "gone" | "notOurs" } | { is: "unknown"; error: string };

/**
 * Supervises the private servers while this process uses them. A server that ends by itself is restarted at its port,
 * as often as the limits allow (restart-policy.ts). Servers of the environment are not supervised.
 */
export class ServerWatch {
  /** Resolves, with the reason, when a server is given up; the system cannot work without it. */
  readonly givenUp: Promise<string>;
  private readonly options: Watched;
  private readonly stopping = new AbortController();
  private readonly loops: Promise<void>[];
  private readonly giveUp: (reason: string) => void;

  constructor(options: Watched) {
    this.options = options;
    const givenUp = Promise.withResolvers<string>();
    this.givenUp = givenUp.promise;
    this.giveUp = givenUp.resolve;
    this.loops = options.servers.map((server) => this.watch(server).catch((error) => this.unwatched(server, error)));
  }

  /** Resolves when no server is supervised: all were ended on purpose or given up. */
  async overForAll(): Promise<void> {
    await Promise.all(this.loops);
  }

  /** Ends the watch, not the servers; resolves when a restart in progress has ended. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await Promise.all(this.loops);
  }

  /** After an error this one server is no longer supervised; the process continues. */
  private unwatched({ plan }: Up, error: unknown): void {
    this.options.tell(`${plan.title} is not supervised any more, it runs on by itself: ${messageOf(error)}`);
  }

  private async watch(first: Up): Promise<void> {
    const { limits: most = limits.restarts, tell } = this.options;
    const title = first.plan.title;
    let server = first;
    let state: RestartState = { ...initialState, phase: "up" };
    const step = (event: ProcessEvent) => {
      state = next(state, event, Date.now(), most);
    };
    const { checkContainersEveryMs, checkEveryMs } = limits.restarts;
    const checkMs = this.options.checkEveryMs ?? (server.pid === undefined ? checkContainersEveryMs : checkEveryMs);
    let blind = false;
    while (await this.pauses(state.phase === "pausing" ? pauseMs(state, most) : checkMs)) {
      if (state.phase === "up") {
        const seen = await this.check(server);
        if (seen.is === "unknown" && !blind)
          tell(`whether ${title} runs cannot be seen; it counts as running, and is checked again: ${seen.error}`);
        blind = seen.is === "unknown";
        if (seen.is === "unknown" || seen.is === "running") continue;
        if (seen.is === "notOurs") return;
        step("failed");
        tell(`${title} ended by itself. ${logTail(server.site)}`);
      } else {
        step("pauseOver");
        try {
          const again = await this.options.locked(() => this.restart(server));
          if (again === undefined) return;
          server = again;
          step("ready");
          tell(`${title} is up again on port ${server.port}`);
        } catch (error) {
          step("failed");
          tell(`${title} did not come back: ${messageOf(error)}`);
        }
      }
      const within = `${most.most} within ${most.withinMs / 60_000} minutes`;
      if (state.phase === "givenUp") return this.giveUp(`${title} is not started again (restarts: ${within})`);
      if (state.phase !== "pausing") continue;
      const count = `restart ${state.failures.length} of ${within}`;
      tell(`${title} is started again in ${pauseMs(state, most) / 1000} s (${count})`);
    }
  }

  /** Never rejects: an engine that restarts or is slow proves nothing about its containers. */
  private async check(server: Up): Promise<Seen> {
    try {
      if (await isRunning(server)) return { is: "running" };
      return { is: this.options.isUser() ? "gone" : "notOurs" };
    } catch (error) {
      return { is: "unknown", error: messageOf(error) };
    }
  }

  /** `undefined` where the servers were ended on purpose. Another process may have restarted it meanwhile. */
  private async restart(server: Up): Promise<Up | undefined> {
    if (!this.options.isUser()) return undefined;
    const member = { plan: server.plan, site: server.site, preferredPort: server.port };
    const others = this.options.servers.filter(({ plan }) => plan !== server.plan).map(({ port }) => port);
    const again = (await adopt(member)) ?? (await launchAll([member], others))[0];
    if (again === undefined) throw new Error("it could not be started");
    if (again.port !== server.port) {
      await again.host.end();
      throw new Error(`port ${server.port}, where it is looked for, is taken by another program`);
    }
    return again;
  }

  /** Returns false where the watch was stopped. */
  private async pauses(ms: number): Promise<boolean> {
    try {
      await pause(ms, undefined, { signal: this.stopping.signal, ref: false });
      return true;
    } catch (error) {
      if (this.stopping.signal.aborted) return false;
      throw error;
    }
  }
}

/** For a process only the pid is checked: `find` of its host would remove what a dead server left. */
async function isRunning({ host, pid }: Up): Promise<boolean> {
  return pid === undefined ? (await host.find()) !== undefined : commandLine(pid) !== undefined;
}
