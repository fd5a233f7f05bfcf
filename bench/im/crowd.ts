import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { becomesTrue } from "../../scripts/stack/wait.ts";
import type { ImBenchContext } from "./context.ts";
import { startScript } from "./processes.ts";

export interface Member {
  userId: string;
  /** Of a session: what im/getImConfig wants. */
  session: string;
  roomId: number;
}

/** What each room was sent: the number of orders, and their counts' sum. */
export type SentToRooms = Map<number, { orders: number; sum: number }>;

export type CrowdCommand =
  | { do: "open"; apiPort: number; members: Member[] }
  | { do: "online" }
  | { do: "report"; sent: SentToRooms };

export interface Online {
  /** Node id → how many are connected to it. */
  nodes: Record<string, number>;
  /** How many were told not to come again. */
  gone: number;
}

export interface CrowdReport {
  /** When each was let in for the last time, ms since 1970; 0 for who is not connected. */
  onlineAt: number[];
  /** Orders that somebody was not shown, over all. */
  missed: number;
  /** Orders that somebody was shown again, over all. */
  duplicates: number;
  /** Members whose sum is not what their room was sent. */
  off: number;
  /** How often somebody was told that frames are lost. */
  gaps: number;
  /** Why somebody was not connected and tried again: reason → how often. */
  setbacks: Record<string, number>;
}

const membersPerProcess = 2_500;
/** A server's port can be reached about 28,000 times from one address. */
const connectionsPerAddress = 20_000;
const openedTogether = 250;
const pollMs = 100;
const comeDeadlineMs = 60_000;

export const noReport = (): CrowdReport => ({
  ...{ onlineAt: [], missed: 0, duplicates: 0, off: 0, gaps: 0, setbacks: {} },
});

/** The reports of several processes as one. */
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

/** How many are connected to any other node than this one, and how many will not try any more. */
export function elsewhere(online: readonly Online[], nodeId: string): { here: number; gone: number } {
  const others = online.flatMap(({ nodes }) => Object.entries(nodes).filter(([node]) => node !== nodeId));
  return {
    here: others.reduce((sum, [, count]) => sum + count, 0),
    gone: online.reduce((sum, { gone }) => sum + gone, 0),
  };
}

/** People with the published client, in processes of their own. */
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

  /** Name → process id. */
  get pids(): Record<string, number> {
    return Object.fromEntries(this.processes.map(({ pid }, i) => [`crowd${i + 1}`, pid as number]));
  }

  /** All of them come, some at a time; resolves once they are connected. */
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
