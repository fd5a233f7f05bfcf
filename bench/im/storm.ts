import type { ChildProcess } from "node:child_process";
import type { ImBenchContext } from "./context.ts";
import { startScript, startServices } from "./processes.ts";
import { type GiftSource, openGiftSource } from "./room.ts";

export type ToStorm =
  | { do: "open"; userIds: string[] }
  | { do: "address"; userId: string; url: string }
  | { do: "report" };
export interface StormMember {
  /** Where it is connected; '' where it is not. */
  node: string;
  sum: number;
  duplicates: number;
  gaps: number;
}
export type FromStorm = { say: "address"; userId: string } | { say: "report"; members: StormMember[] };

const roomId = 1;
const giftsPerSecond = 5;
const backDeadlineMs = 60_000;
const pollMs = 100;

/** Clients in another process, which ask here for an address whenever they connect. */
class Crowd {
  private readonly child: ChildProcess;
  private onReport: (members: StormMember[]) => void = () => {};

  constructor(context: ImBenchContext, source: GiftSource) {
    this.child = startScript(context, "storm-clients", "bench/im/storm-process.ts");
    this.child.on("message", (message: FromStorm) => {
      if (message.say === "report") this.onReport(message.members);
      else void this.answer(source, message.userId);
    });
  }

  open(userIds: string[]): void {
    this.tell({ do: "open", userIds });
  }

  report(): Promise<StormMember[]> {
    const { promise, resolve } = Promise.withResolvers<StormMember[]>();
    this.onReport = resolve;
    this.tell({ do: "report" });
    return promise;
  }

  async until(what: string, check: (members: StormMember[]) => boolean): Promise<StormMember[]> {
    for (const deadline = performance.now() + backDeadlineMs; ; ) {
      const members = await this.report();
      if (check(members)) return members;
      if (performance.now() > deadline) throw new Error(`not in time: ${what}`);
      await new Promise((resolve) => setTimeout(resolve, pollMs));
    }
  }

  /** As im/getImConfig: the servers that are left may not be known yet, then it is asked again. */
  private async answer(source: GiftSource, userId: string): Promise<void> {
    try {
      this.tell({ do: "address", userId, url: await source.address(roomId, userId) });
    } catch {
      setTimeout(() => this.answer(source, userId), 500);
    }
  }

  private tell(message: ToStorm): void {
    if (this.child.connected) this.child.send(message);
  }
}

/** One of two nodes is killed while gifts fly: when everybody is back on the other one, and what each has seen. */
export async function run(context: ImBenchContext) {
  const { progress, quick } = context;
  const connections = quick ? 500 : 5_000;
  await startServices(context, "im-router", ["im-router"]);
  const killed = await startServices(context, "im-server-1", ["im-server"]);
  const source = await openGiftSource(context);
  const crowd = new Crowd(context, source);
  const users = Array.from({ length: connections }, (_, i) => String(1_000 + i));
  for (let at = 0; at < connections; at += 500) {
    crowd.open(users.slice(at, at + 500));
    await crowd.until("connected", (members) => members.every(({ node }) => node !== ""));
  }
  await startServices(context, "im-server-2", ["im-server"]);
  const before = (await crowd.report())[0]?.node;
  progress(`${connections} connected; the node is killed in the middle of ${quick ? 15 : 25} s of gifts`);
  const gifts = source.send(roomId, giftsPerSecond, quick ? 15 : 25);
  await new Promise((resolve) => setTimeout(resolve, 5_000));
  const killedAt = performance.now();
  process.kill(killed, "SIGKILL");
  await crowd.until("back", (members) => members.every(({ node }) => node !== "" && node !== before));
  const backMs = Math.round(performance.now() - killedAt);
  progress(`all back after ${backMs} ms`);
  const { sum } = await gifts;
  const last = await crowd
    .until("everything seen", (members) => members.every((member) => member.sum === sum))
    .catch(() => crowd.report());
  const missed = last.filter((member) => member.sum !== sum).length;
  const duplicates = last.reduce((all, member) => all + member.duplicates, 0);
  const gaps = last.reduce((all, member) => all + member.gaps, 0);
  return { connections, backMs, missed, duplicates, gaps, conserved: missed === 0 && duplicates === 0 };
}
