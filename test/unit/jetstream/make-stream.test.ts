import type { JetStreamManager } from "nats";
import { Provisioner } from "../../../mixins/jetstream/provisioner.ts";

/** What nats-server answers where two make one stream at the same moment. */

const failing = (code: number) => Object.assign(new Error("refused"), { api_error: { err_code: code } });

function managerThat(...outcomes: (number | undefined)[]) {
  let adds = 0;
  const add = async () => {
    const code = outcomes[Math.min(adds++, outcomes.length - 1)];
    if (code !== undefined) throw failing(code);
  };
  return { manager: { streams: { add } } as unknown as JetStreamManager, adds: () => adds };
}
const wanted = { name: "EVENTS", subjects: ["event.>"] } as never;

test("a stream whose subjects overlap is made again: another node may be making the same one", async () => {
  const { manager, adds } = managerThat(10_065, 10_065, undefined);
  await new Provisioner(manager).makeStream(wanted, false);
  expect(adds()).toBe(3);
});

test("a stream that another node has made with another mark counts as made", async () => {
  const { manager, adds } = managerThat(10_065, 10_058);
  await new Provisioner(manager).makeStream(wanted, true);
  expect(adds()).toBe(2);
});

test("on a stream with replicas the servers agree, and its leader steps down, however long there is none", async () => {
  const asked: string[] = [];
  const noLeader = { error: { code: 503, description: "no leader" } };
  const answers = [noLeader, {}];
  const update = async (name: string, settings: object) =>
    void asked.push(`update ${name} ${JSON.stringify(settings)}`);
  const request = async (subject: string) => {
    asked.push(subject);
    return { json: () => answers.shift() };
  };
  const manager = { streams: { add: async () => asked.push("add"), update } } as unknown as JetStreamManager;
  const replicated = { ...(wanted as object), num_replicas: 3 } as never;
  await new Provisioner(manager, { request } as never).makeStream(replicated, false);
  const down = "$JS.API.STREAM.LEADER.STEPDOWN.EVENTS";
  expect(asked).toEqual(["add", "update EVENTS {}", down, down]);
});

test("those who make a stream in one process share one attempt", async () => {
  const { manager, adds } = managerThat(10_065, undefined);
  await Promise.all([1, 2, 3].map(() => new Provisioner(manager).makeStream(wanted, false)));
  expect(adds()).toBe(2);
});

test("subjects that belong to another stream are an error in the end", async () => {
  const { manager } = managerThat(10_065);
  await expect(new Provisioner(manager).makeStream(wanted, false)).rejects.toThrow("refused");
});
