import { post } from "../../test/support/client.ts";
import type { Closing } from "../support/closing.ts";
import { JobProcess } from "../support/job-process.ts";
import { roomIdOf } from "./burst-gifts.ts";
import type { Expected } from "./outcomes.ts";
import { type Version, viewersProblems } from "./seen-gifts.ts";
import type { EnteringViewer, ViewersJob, ViewersReport } from "./viewers-process.ts";

const pollMs = 50;
/** After so long without a new gift, missing gifts count as lost. */
const lostAfterMs = 10_000;
const ticketsTogether = 20;
const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** The viewers of the first rooms, in a process of their own. */
export class Viewers {
  private readonly process: JobProcess;
  private perRoom = 0;

  private constructor(process: JobProcess) {
    this.process = process;
  }

  static start(closing: Closing): Viewers {
    return new Viewers(JobProcess.start(closing, "bench/burst/viewers-process.ts"));
  }

  get pid(): number | undefined {
    return this.process.pid;
  }

  /**
   * Lets users with these tokens enter the rooms in turn, through the system at `API_URL`. Half of them ask for version 2
   * of the protocol, compressed.
   */
  async enter(rooms: number, perRoom: number, tokenOf: (room: number, viewer: number) => string): Promise<void> {
    this.perRoom = perRoom;
    const viewers: EnteringViewer[] = [];
    const all = Array.from({ length: rooms * perRoom }, (_, i) => [i % rooms, Math.floor(i / rooms)] as const);
    for (let at = 0; at < all.length; at += ticketsTogether)
      viewers.push(
        ...(await Promise.all(
          all
            .slice(at, at + ticketsTogether)
            .map(([room, n]) => ticket(roomIdOf(room), tokenOf(room, n), (room + n) % 2 === 0 ? 1 : 2)),
        )),
      );
    await this.do({ kind: "enter", viewers });
  }

  /** Resolves once every viewer has seen all gifts of her room, or no more gifts arrive. */
  async untilSeen(expected: ReadonlyMap<number, Expected>, rooms: number): Promise<void> {
    const all = Array.from({ length: rooms }, (_, room) => expected.get(roomIdOf(room))?.accepted.gifts ?? 0);
    const wanted = all.reduce((sum, gifts) => sum + gifts, 0) * this.perRoom;
    let most = { orders: -1, at: 0 };
    do {
      const orders = await this.do<number>({ kind: "orders" });
      if (orders >= wanted) return;
      if (orders > most.orders) most = { orders, at: performance.now() };
      await pause(pollMs);
    } while (performance.now() - most.at < lostAfterMs);
  }

  /** What is wrong with what they saw, and when the last of them saw the last gift, Unix ms. */
  async report(expected: ReadonlyMap<number, Expected>): Promise<{ problems: string[]; lastAt: number }> {
    const { seen, lastAt, faults } = await this.do<ViewersReport>({ kind: "report" });
    return { problems: [...viewersProblems(seen, expected), ...faults], lastAt };
  }

  async leave(): Promise<void> {
    await this.process.end();
  }

  private do<Report>(job: ViewersJob): Promise<Report> {
    return this.process.do<Report>(job);
  }
}

async function ticket(roomId: number, token: string, version: Version): Promise<EnteringViewer> {
  const { code, msg, data } = await post<{ token: string; wsImServerAddress: string }>(
    "/live/api/im/getImConfig",
    {},
    { token },
  );
  if (code !== 200) throw new Error(`im/getImConfig: ${code} ${msg}`);
  const asked = version === 2 ? "&v=2&compress=deflate-raw" : "";
  return { roomId, url: `${data.wsImServerAddress}?token=${data.token}&roomId=${roomId}${asked}`, version };
}
