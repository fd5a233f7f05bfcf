import type { ImBenchContext } from "./context.ts";
import { type Audience, measure, warmUp } from "./measure.ts";
import { startServices } from "./processes.ts";
import type { LoadRun } from "./received.ts";
import { openGiftSource } from "./room.ts";
import { Viewers } from "./viewers.ts";

const drainMs = 30_000;
const roomsAtOnce = 10;
const firstUser = 1_000;

export interface RoomsRun extends LoadRun {
  rooms: number;
  giftsPerSecondInARoom: number;
}

/** Many rooms on two servers, with viewers on both and steady gifts in all rooms at once. */
export async function run(context: ImBenchContext) {
  const { quick, progress } = context;
  const { rooms: count = quick ? 20 : 100, viewers: sizes = [quick ? 20 : 100] } = context;
  const { rates = [1, 5, 10], seconds = quick ? 3 : 10, senders = 50 } = context;
  const [imRouter, imServer1, imServer2] = await Promise.all([
    startServices(context, "im-router", ["im-router"]),
    startServices(context, "im-server-1", ["im-server"], context.profile),
    startServices(context, "im-server-2", ["im-server"]),
    startServices(context, "provisioner", ["provisioner"]),
  ]);
  const pids = { imRouter, imServer1, imServer2 };
  const source = await openGiftSource(context, 2);
  const runs: RoomsRun[] = [];
  let conserved = true;
  let users = firstUser;
  for (const [at, viewersPerRoom] of sizes.entries()) {
    const rooms = Array.from({ length: count }, (_, i) => at * count + i + 1);
    const viewers = new Viewers(context, `viewers-${viewersPerRoom}`);
    progress(`connecting ${viewersPerRoom} viewers to each of ${count} rooms`);
    for (let from = 0; from < count; from += roomsAtOnce) {
      const some = rooms.slice(from, from + roomsAtOnce);
      const first = users;
      const all = some.map((roomId, i) => source.addresses(roomId, first + i * viewersPerRoom, viewersPerRoom));
      await viewers.connect((await Promise.all(all)).flat());
      users += some.length * viewersPerRoom;
    }
    const end = () => viewers.end();
    const audience: Audience = {
      name: "rooms",
      rooms,
      viewersPerRoom,
      viewers: [viewers],
      send: source.send,
      pids,
      end,
    };
    const warmed = await warmUp(context, audience, { giftsPerSecond: count, seconds, senders, drainMs });
    conserved &&= warmed.conserved;
    for (const giftsPerSecondInARoom of rates) {
      const giftsPerSecond = giftsPerSecondInARoom * count;
      const run = await measure(context, audience, { giftsPerSecond, seconds, senders, drainMs });
      conserved &&= run.conserved;
      runs.push({ rooms: count, giftsPerSecondInARoom, ...run });
    }
    await audience.end();
  }
  return { runs, conserved };
}
