import type { ImBenchContext } from "./context.ts";
import { type Audience, measure, type Pace, warmUp } from "./measure.ts";
import { startServices } from "./processes.ts";
import { keepsUp, type LoadRun, ratioOf } from "./received.ts";
import { type GiftSource, openGiftSource } from "./room.ts";
import { openSocketIo, SocketIoEmitter } from "./socketio.ts";
import { highestSustained } from "./sustained.ts";
import { Viewers } from "./viewers.ts";

/** Our frames must all arrive, however late on a machine that is too small; those of the other server need not. */
const drainMs = { own: 30_000, socketio: 10_000 };
const probeDrainMs = 3_000;
const probeSeconds = 4;
/** The first rate of the search for the highest sustained rate, gifts a second. */
const firstRates = { own: 4_000, socketio: 200 };

type Side = "own" | "socketio";
/** What clients of the other versions of the protocol add to the address. */
const versions = { version2: "&v=2", version2Compressed: "&v=2&compress=deflate-raw" } as const;
type Open = (viewers: number) => Promise<Audience>;

interface Measured {
  runs: LoadRun[];
  /** At the highest sustained rate of a room of the first size. */
  sustained: LoadRun | undefined;
}

/** One side of the comparison. Its viewers are replaced where the last run left frames on the way. */
class Measuring {
  private readonly context: ImBenchContext;
  private readonly open: Open;
  private audience: Audience | undefined;
  /** Whether no run, the warm-up included, lost or doubled a gift. */
  conserved = true;

  constructor(context: ImBenchContext, open: Open) {
    this.context = context;
    this.open = open;
  }

  async run(viewers: number, pace: Pace): Promise<LoadRun> {
    if (this.audience?.viewersPerRoom !== viewers) {
      await this.end();
      this.context.progress(`connecting ${viewers} viewers`);
      this.audience = await this.open(viewers);
      const { conserved } = await warmUp(this.context, this.audience, pace);
      this.conserved &&= conserved;
    }
    const run = await measure(this.context, this.audience, pace);
    this.conserved &&= run.conserved;
    if (!run.conserved) await this.end();
    return run;
  }

  async end(): Promise<void> {
    await this.audience?.end();
    this.audience = undefined;
  }
}

class OwnRooms {
  private readonly context: ImBenchContext;
  private readonly source: GiftSource;
  private readonly pids: Record<string, number>;
  private users = 1_000;
  private rooms = 0;

  constructor(context: ImBenchContext, source: GiftSource, pids: Record<string, number>) {
    this.context = context;
    this.source = source;
    this.pids = pids;
  }

  /** A new room. `query` is added to the addresses. */
  async open(size: number, query = ""): Promise<Audience> {
    const roomId = ++this.rooms;
    const viewers = new Viewers(this.context, `viewers-${size}${query && "-2"}`);
    const addresses = await this.source.addresses(roomId, this.users, size);
    await viewers.connect(addresses.map((address) => address + query));
    this.users += size;
    return {
      name: `Ovation${query}`,
      rooms: [roomId],
      viewersPerRoom: size,
      viewers: [viewers],
      send: this.source.send,
      pids: this.pids,
      end: () => viewers.end(),
    };
  }
}

/**
 * One room on one server, at several sizes and rates, and the highest rate that it sustains. In the same run, with the
 * same viewers, gifts and rates: Socket.IO with its Redis adapter. On both sides gifts come from another process.
 * Socket.IO need not keep up: what it does not deliver in time is reported, and only a loss on our side is a failure.
 * Like gifts merge here; the fewer `senders`, the more gifts do. Socket.IO sends each gift separately. `runs` are of
 * version 1 of the protocol; beside them, at the same sizes and rates, runs of version 2, plain and compressed.
 */
export async function run(context: ImBenchContext) {
  const { quick, progress } = context;
  const {
    viewers: sizes = quick ? [500] : [500, 5_000],
    rates = [10, 100, 1_000],
    senders = 50,
    most = 50_000,
  } = context;
  const { seconds = quick ? 3 : 10 } = context;
  const [imRouter, imServer] = await Promise.all([
    startServices(context, "im-router", ["im-router"]),
    startServices(context, "im-server", ["im-server"], context.profile),
    startServices(context, "provisioner", ["provisioner"]),
  ]);
  const own = new OwnRooms(context, await openGiftSource(context), { imServer, imRouter });
  const emitter = new SocketIoEmitter(context);
  const open: Record<Side, Open> = {
    own: (size) => own.open(size),
    socketio: (size) => openSocketIo(context, emitter, size),
  };
  const compared: { name: "runs" | "socketio" | keyof typeof versions; side: Side; open: Open }[] = [
    { name: "runs", side: "own", open: open.own },
    ...(["version2", "version2Compressed"] as const).map((name) => {
      return { name, side: "own", open: (size: number) => own.open(size, versions[name]) } as const;
    }),
    { name: "socketio", side: "socketio", open: open.socketio },
  ];
  const measured = {
    ...{ runs: [] as LoadRun[], version2: [] as LoadRun[], version2Compressed: [] as LoadRun[] },
    socketio: [] as LoadRun[],
  };
  let conserved = true;
  for (const size of sizes)
    for (const { name, side, open } of compared) {
      const measuring = new Measuring(context, open);
      for (const giftsPerSecond of rates)
        measured[name].push(await measuring.run(size, { giftsPerSecond, seconds, senders, drainMs: drainMs[side] }));
      await measuring.end();
      if (side === "own") conserved &&= measuring.conserved;
    }
  const search = async (side: Side): Promise<LoadRun | undefined> => {
    const measuring = new Measuring(context, open[side]);
    const probe = async (giftsPerSecond: number) => {
      const pace = { giftsPerSecond, seconds: Math.min(seconds, probeSeconds), senders, drainMs: probeDrainMs };
      const run = await measuring.run(sizes[0] as number, pace);
      return { holds: keepsUp(run), run };
    };
    const best = await highestSustained(probe, { first: firstRates[side], within: 1.15, most });
    await measuring.end();
    return best;
  };
  progress("looking for the highest rates that are sustained");
  const { runs, version2, version2Compressed } = measured;
  const result: Measured = { runs, sustained: await search("own") };
  const socketio: Measured = { runs: measured.socketio, sustained: await search("socketio") };
  const ratio = ratioOf(result.sustained, socketio.sustained);
  return { senders, ...result, version2, version2Compressed, socketio, ratio, conserved };
}
