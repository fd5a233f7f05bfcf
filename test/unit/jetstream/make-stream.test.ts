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

describe("on a stream with replicas the servers agree", () => {
  const noLeader = { error: { code: 503, description: "no leader" } };
  const down = "$JS.API.STREAM.LEADER.STEPDOWN.EVENTS";
  const done = 'update EVENTS {"description":"its servers agree"}';

  /** A server with such a stream, which answers the requests to step down in this order. */
  function serverWith({ description = "", replicas = 3, answers = [{}] as object[], busy = 0, behind = 0 } = {}) {
    let looks = 0;
    const cluster = () => ({ replicas: [{ name: "n2", current: looks++ >= behind }] });
    const asked: string[] = [];
    const config = { name: "EVENTS", description, num_replicas: replicas };
    let refusals = busy;
    const update = async (name: string, settings: { description?: string }) => {
      asked.push(`update ${name} ${JSON.stringify(settings)}`);
      if (refusals-- > 0) throw failing(10_065);
      Object.assign(config, settings);
    };
    const add = async (settings: object) => {
      asked.push("add");
      Object.assign(config, settings);
    };
    const request = async (subject: string) => {
      asked.push(subject);
      return { json: () => answers.shift() };
    };
    const manager = {
      streams: { add, update, info: async () => ({ config, cluster: cluster() }) },
    } as unknown as JetStreamManager;
    return { asked, config, provisioner: new Provisioner(manager, { request } as never) };
  }
  const replicated = { name: "EVENTS", subjects: ["event.>"], num_replicas: 3 } as never;

  test("when it is made: its leader steps down, however long there is none", async () => {
    const { asked, provisioner } = serverWith({ answers: [noLeader, {}] });
    await provisioner.makeStream(replicated, false);
    expect(asked).toEqual(["add", "update EVENTS {}", down, down, done]);
  });

  test("while another node is making it", async () => {
    const { asked, provisioner } = serverWith({ busy: 2 });
    await provisioner.makeStream(replicated, false);
    expect(asked).toEqual(["add", "update EVENTS {}", "update EVENTS {}", "update EVENTS {}", down, done]);
  });

  test("once no replica is behind", async () => {
    const { asked, provisioner } = serverWith({ behind: 2 });
    await provisioner.makeStream(replicated, false);
    expect(asked).toEqual(["add", "update EVENTS {}", down, done]);
  });

  test("where it was made again: its mark stays", async () => {
    const { asked, config, provisioner } = serverWith();
    await provisioner.makeStream(replicated, true);
    expect(asked).toEqual(["add", "update EVENTS {}", down]);
    expect(config.description).toMatch(/^made again: /);
  });

  test("later, if its maker did not come to it, and once", async () => {
    const { asked, provisioner } = serverWith();
    await provisioner.agree("EVENTS");
    expect(asked).toEqual(["update EVENTS {}", down, done]);
    await provisioner.agree("EVENTS");
    expect(asked).toHaveLength(3);
  });

  test("not again where it has lost messages since, and not without replicas", async () => {
    for (const about of [{ description: "messages lost: abc" }, { replicas: 1 }]) {
      const { asked, provisioner } = serverWith(about);
      await provisioner.agree("EVENTS");
      expect(asked).toEqual([]);
    }
  });

  test("later, also where it has a mark, if its leader refused", async () => {
    const refusal = { error: { code: 500, description: "no right" } };
    const { asked, provisioner } = serverWith({ answers: [refusal, {}] });
    await expect(provisioner.makeStream(replicated, true)).rejects.toThrow("EVENTS: no right");
    await provisioner.agree("EVENTS");
    expect(asked).toEqual(["add", "update EVENTS {}", down, "update EVENTS {}", down]);
    await provisioner.agree("EVENTS");
    expect(asked).toHaveLength(5);
  });
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
