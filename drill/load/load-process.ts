import { carryOutJobs } from "../../bench/support/job-process.ts";
import { becomesTrue } from "../../scripts/stack/wait.ts";
import { Answers } from "./answers.ts";
import type { LoadJob, Progress, Room, Scene, SentGift, Unseen, User } from "./jobs.ts";
import { payAndSend } from "./payers.ts";
import { sendSteadily } from "./senders.ts";
import { Viewer } from "./viewers.ts";

/* The clients of the drill, in a process of their own: one job at a time, and what it began goes on (jobs.ts). */

const onlineMs = 60_000;

let scene: Scene | undefined;
let viewers: Viewer[] = [];
let answers = new Answers();
let isOn = false;
let underWay: Promise<unknown> = Promise.resolve();

async function open(opened: Scene): Promise<void> {
  scene = opened;
  const { rooms, senders, viewersOfRoom, port } = opened;
  viewers = rooms.flatMap(({ roomId }, at) =>
    Array.from({ length: viewersOfRoom }, (_, n) => {
      const user = senders[at * viewersOfRoom + n] as User;
      return new Viewer(port, { user, roomId, version: n % 2 === 0 ? 2 : 1 });
    }),
  );
  if (!(await becomesTrue(() => viewers.every(({ isOnline }) => isOnline), onlineMs, 100)))
    throw new Error(`${viewers.filter(({ isOnline }) => !isOnline).length} viewers are not connected`);
}

function begin({ name, perSecond, paymentsPerSecond }: Extract<LoadJob, { do: "begin" }>): void {
  if (!scene) throw new Error("there is no scene");
  const { rooms, senders, payers, port } = scene;
  answers = new Answers();
  isOn = true;
  const steady = { rooms, port, isOn: () => isOn };
  underWay = Promise.all([
    ...senders.map((user, at) =>
      sendSteadily(answers, {
        ...{ ...steady, user, name: `${name}-${at}`, perSecond: perSecond / senders.length },
        rooms: [...rooms.slice(at % rooms.length), ...rooms.slice(0, at % rooms.length)],
      }),
    ),
    ...payers.map((user, at) =>
      payAndSend(answers, {
        ...{ ...steady, user, name: `${name}-payer-${at}`, perSecond: paymentsPerSecond / payers.length },
        room: rooms[at % rooms.length] as Room,
      }),
    ),
  ]);
  underWay.catch(() => undefined);
}

function progress(): Progress {
  const { accepted, payments } = answers;
  const at = Map.groupBy(
    viewers.filter(({ isOnline }) => isOnline),
    ({ nodeId }) => nodeId,
  );
  const viewersAt = Object.fromEntries([...at].map(([nodeId, those]) => [nodeId, those.length]));
  return { accepted, payments: payments.length, viewersAt };
}

function unseen(failed: readonly string[]): Unseen {
  const without = new Set(failed);
  const shown = answers.gifts.filter(({ outcome, orderId }) => outcome === "accepted" && !without.has(orderId));
  const byRoom = Map.groupBy<number, SentGift>(shown, ({ roomId }) => roomId);
  const all = { told: 0, silent: 0, holes: 0, stopped: 0, reconnects: 0 };
  for (const viewer of viewers) {
    const one = viewer.unseen(byRoom.get(viewer.roomId) ?? []);
    for (const key of Object.keys(all) as (keyof Unseen)[]) all[key] += one[key];
  }
  return all;
}

async function carryOut(job: LoadJob): Promise<unknown> {
  switch (job.do) {
    case "open":
      return open(job.scene);
    case "begin":
      return begin(job);
    case "progress":
      return progress();
    case "end":
      isOn = false;
      await underWay;
      return answers.report();
    case "unseen":
      return unseen(job.failed);
    case "forget":
      for (const viewer of viewers) viewer.forget();
      return null;
  }
}

carryOutJobs(carryOut);
