import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { becomesTrue } from "../../scripts/stack/wait.ts";
import type { ImBenchContext } from "./context.ts";
import { startScript } from "./processes.ts";

export interface Member {
  userId: string;
  /** The session's token, for im/getImConfig. */
  session: string;
  roomId: number;
}

/** What was sent to each room: the number of orders, and the sum of their counts. */
export type SentToRooms = Map<number, { orders: number; sum: number }>;

export type CrowdCommand =
  | { do: "open"; apiPort: number; members: Member[] }
  | { do: "online" }
  | { do: "report"; sent: SentToRooms };

export interface Online {
  /** Connected members by node id. */
  nodes: Record<string, number>;
  /** Members that were told not to reconnect. */
  gone: number;
}

export interface CrowdReport {
  /** When each member was connected for the last time, ms since 1970; 0 for one who is not connected. */
  onlineAt: number[];
  /** Orders that a member did not see, summed over all members. */
  missed: number;
  /** Orders that a member saw again, summed over all members. */
  duplicates: number;
  /** Members whose sum differs from what was sent to their room. */
  off: number;
  /** Greetings that reported lost frames. */
  gaps: number;
  /** Failed connects that were retried, by reason. */
  setbacks: Record<string, number>;
}

const membersPerProcess = 2_500;
/** One address can have about 28,000 connections to a server's port. */
const connectionsPerAddress = 20_000;
const openedTogether = 250;
const pollMs = 100;
const comeDeadlineMs = 60_000;

export const noReport = (): CrowdReport => ({
  ...{ onlineAt: [], missed: 0, duplicates: 0, off: 0, gaps: 0, setbacks: {} },
});

/** Merges the reports of several processes. */
export function addedUp(reports: readonly CrowdReport[]): CrowdReport {
  const all = noReport();
  for (const { onlineAt, missed, duplicates, off, gaps, setbacks } of reports) {
    all.onlineAt.push(...onlineAt);
    all.missed += missed;
    all.duplicates += duplicates;
    all.off += off;
    all.gaps += gaps;
    for (const [reason, times] of Object.entries(setbacks)) all.setbacks[reason] = (all.setbacks[reason] ?? 0) + times;
  }
  return all;
}

/** How many are connected to another node than this one, and how many have given up. */
export function elsewhere(online: readonly Online[], nodeId: string): { here: number; gone: number } {
  const others = online.flatMap(({ nodes }) => Object.entries(nodes).filter(([node]) => node !== nodeId));
  return {
    here: others.reduce((sum, [, count]) => sum + count, 0),
    gone: online.reduce((sum, { gone }) => sum + gone, 0),
  };
}

/** Users with the published client, in separate processes. */
export class Crowd {
  private readonly processes: ChildProcess[];
  private readonly members: readonly Member[];

  constructor(context: ImBenchContext, members: readonly Member[]) {
    this.members = members;
    this.processes = Array.from({ length: Math.ceil(members.length / membersPerProcess) }, (_, i) => {
      const source = `127.0.0.${1 + Math.floor((i * membersPerProcess) / connectionsPerAddress)}`;
      return startScript(context, `crowd-${i + 1}`, "bench/im/crowd-process.ts", { args: [source] });
    });
  }

  /** Process ids by name. */
  get pids(): Record<string, number> {
    return Object.fromEntries(this.processes.map(({ pid }, i) => [`crowd${i + 1}`, pid as number]));
  }

  /** Connects all of them, some at a time; resolves once they are connected. */
  async come(apiPort: number, progress: (line: string) => void): Promise<void> {
    for (let at = 0; at < membersPerProcess; at += openedTogether) {
      await Promise.all(
        this.processes.map((child, i) => {
          const from = i * membersPerProcess + at;
          const members = this.members.slice(from, Math.min(from + openedTogether, (i + 1) * membersPerProcess));
          return ask(child, { do: "open", apiPort, members });
        }),
      );
      const opened = Math.min(this.members.length, (at + openedTogether) * this.processes.length);
      const came = await becomesTrue(async () => (await this.elsewhere("")).here >= opened, comeDeadlineMs, pollMs);
      if (!came) throw new Error(`${opened} people do not get connected`);
      if (opened === this.members.length) return;
      if (at % (4 * openedTogether) === 0) progress(`${opened} of ${this.members.length} connected`);
    }
  }

  async elsewhere(nodeId: string): Promise<{ here: number; gone: number }> {
    const online = await Promise.all(this.processes.map((child) => ask(child, { do: "online" })));
    return elsewhere(online as Online[], nodeId);
  }

  async report(sent: SentToRooms): Promise<CrowdReport> {
    const reports = await Promise.all(this.processes.map((child) => ask(child, { do: "report", sent })));
    return addedUp(reports as CrowdReport[]);
  }
}

async function ask(child: ChildProcess, command: CrowdCommand): Promise<unknown> {
  const answer = once(child, "message");
  child.send(command);
  return (await answer)[0];
}
