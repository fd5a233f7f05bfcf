import { execFile } from "node:child_process";
import { join } from "node:path";
import { connect, headers, type NatsConnection } from "nats";
import { natsOptions } from "../../broker/nats-options.ts";
import { natsPrefix } from "../../config/config.ts";
import { projectRoot } from "../../config/root.ts";
import { DeadLetters, type IsOrigin } from "../../mixins/jetstream/dead-letters.ts";
import { jetstreamMixin, type StreamDefinition } from "../../mixins/jetstream.mixin.ts";
import { isOriginOfTable } from "../../services/dead-letter-origins.ts";
import { defineService } from "../../services/define-service.ts";
import { notificationActions } from "../../services/notification/notification.contract.ts";
import { deadParcel, parcelChannel, parcelReader, parcels } from "../support/dead-parcels.ts";
import { eventually, startNode, stopAll } from "../support/system.ts";

// A test starts up to six processes.
jest.setTimeout(90_000);

/** Its messages are lists of parcels. */
const crates: StreamDefinition = { name: "CRATES", subjects: ["crate.*"], kind: "queue" };
/** Crates are no stream of the table. */
const isOrigin: IsOrigin = (origin) => origin.channel === "crate-reader" || isOriginOfTable(origin);
const { handled } = parcelReader;

/** A service with channels whose readers are broken until somebody repairs them. */
const reader = defineService<"notification">({
  name: "notification",
  contract: notificationActions,
  mixins: [jetstreamMixin([parcels, crates])],
  actions: { sendLoginCode: { handler: () => ({ shownToCaller: false }) } },
  channels: {
    parcels: parcelChannel,
    crates: {
      stream: crates,
      durable: "crate-reader",
      batch: 10,
      batchesInFlight: 1,
      split: { items: (data) => data as unknown[], alone: (item) => [item], leastBytes: 10 },
      parse(data: unknown) {
        if (parcelReader.broken && (data as { id: string }).id === "bad")
          throw new Error("the reader does not know this form");
        return data;
      },
      handler: parcelChannel.handler,
    },
  },
});

let connection: NatsConnection;
let dead: DeadLetters;

function dlq(...args: string[]): Promise<{ code: number; out: string }> {
  return new Promise((resolve) => {
    const script = join(projectRoot(), "scripts/dlq.ts");
    execFile(process.execPath, [script, ...args], { cwd: projectRoot(), env: process.env }, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, out: stdout + stderr });
    });
  });
}

const bury = (parcel: object) => deadParcel(connection, dead, parcel);

beforeAll(async () => {
  connection = await connect(natsOptions("test"));
  await startNode("reader", [reader]);
  dead = await DeadLetters.open(connection);
});

afterEach(() => {
  handled.length = 0;
});

afterAll(async () => {
  await connection.close();
  await stopAll();
});

describe("dead letters", () => {
  test("none: the list states it, and what is not there can be neither shown nor replayed", async () => {
    expect(await dlq("list")).toEqual({ code: 0, out: "no dead letters\n" });
    for (const command of ["show", "replay"])
      expect(await dlq(command, "999999")).toMatchObject({ code: 1, out: expect.stringContaining("no dead letter") });
    expect(await dlq("replay", "all")).toMatchObject({ code: 0, out: "0 of 0 replayed\n" });
  });

  test("a command that is not understood changes nothing and shows the usage", async () => {
    for (const args of [
      [],
      ["replay"],
      ["replay", "-1"],
      ["show", "all"],
      ["list", "1"],
      ["delete", "1"],
      ["give-up", "1"],
    ])
      expect(await dlq(...args)).toMatchObject({ code: 2, out: expect.stringContaining("npm run dlq") });
  });

  test("a message that cannot be read is listed with its reason, shown whole, and handled once after its replay", async () => {
    const parcel = { id: "p-1", text: "x".repeat(300) };
    const sequence = await bury(parcel);
    expect(await dead.countByChannel()).toEqual(new Map([["wallet-recharge", 1]]));

    const listed = await dlq("list");
    expect(listed.out).toMatch(new RegExp(`^${sequence}  \\d{4}-\\S+Z  wallet-recharge\n`));
    expect(listed.out).toContain(`${natsPrefix()}pay.recharge (${natsPrefix()}PAY 1)`);
    expect(listed.out).toContain("the reader does not know this form");
    expect(listed.out).toContain(`${JSON.stringify(parcel).slice(0, 200)}…`);
    expect(listed.out).toContain("1 dead letter\n");
    const shown = await dlq("show", String(sequence));
    expect(shown.out).toContain(JSON.stringify(parcel));
    expect(shown.out).toContain("req-of-the-test");
    expect(shown.out).toMatch(/^kind +failed$/m);
    expect(handled).toEqual([]);

    expect(await dlq("replay", String(sequence))).toMatchObject({ code: 0 });
    await eventually("the parcel", () => handled.length > 0);
    expect(handled).toMatchObject([{ data: parcel, requestId: "req-of-the-test" }]);
    expect(await dlq("list")).toMatchObject({ out: "no dead letters\n" });
    expect(await dlq("replay", String(sequence))).toMatchObject({ code: 1 });
    expect(handled).toHaveLength(1);
  });

  test("of a message that holds many, the one that cannot be handled is listed with its place, shown and put back alone", async () => {
    parcelReader.broken = true;
    await connection.jetstream().publish(`${natsPrefix()}crate.a`, JSON.stringify([{ id: "1" }, { id: "bad" }]));
    const letter = await eventually("the dead letter", async () => {
      for await (const one of dead.all()) return one;
      return undefined;
    });
    parcelReader.broken = false;
    expect(handled.splice(0)).toMatchObject([{ data: { id: "1" } }]);
    expect((await dlq("list")).out).toContain(`${natsPrefix()}crate.a (${natsPrefix()}CRATES 1 item 1)`);
    const { out } = await dlq("show", String(letter.sequence));
    expect([out.includes("CRATES 1 item 1"), out.endsWith('\n[{"id":"bad"}]\n')]).toEqual([true, true]);
    expect(await dead.replay(letter.sequence, isOrigin)).toBe(true);
    await eventually("the parcel", () => handled.length > 0);
    expect(handled).toMatchObject([{ data: { id: "bad" } }]);
  });

  test("replay all: every one goes back; one that cannot stays, with the reason, and does not hold up the others", async () => {
    await bury({ id: "p-2" });
    await connection.jetstream().publish(`${natsPrefix()}dead.wallet-recharge`, "put here by hand");
    await bury({ id: "p-3" });
    const replayed = await dlq("replay", "all");
    expect(replayed.code).toBe(1);
    expect(replayed.out).toContain("2 of 3 replayed");
    expect(replayed.out).toMatch(/stays a dead letter: .*has no origin/);
    await eventually("both parcels", () => handled.length === 2);
    expect(handled.map(({ data }) => data)).toEqual([{ id: "p-2" }, { id: "p-3" }]);
    const left = await dlq("list");
    expect(left.out).toContain("1 dead letter\n");
  });

  describe("what a service that was taken over writes itself", () => {
    /** A dead letter with headers of its writer's choice. */
    async function planted(channel: string, origin: Record<string, string>): Promise<number> {
      const head = headers();
      for (const [name, value] of Object.entries(origin)) head.set(name, value);
      const subject = `${natsPrefix()}dead.unproven.${channel}`;
      return (await connection.jetstream().publish(subject, "{}", { headers: head })).seq;
    }
    const planting = (channel: string, subject: string, stream: string) =>
      planted(channel, { "Dead-Subject": subject, "Dead-Stream": natsPrefix() + stream, "Dead-Sequence": "1" });

    test("is put back nowhere but where its channel reads: no request to the server, no other channel's order or event", async () => {
      const p = natsPrefix();
      const sequences = [
        await planting("living-room-room-closed", `$JS.API.STREAM.DELETE.${p}CRATES`, "CRATES"),
        await planting("wallet-recharge", `$JS.API.STREAM.DELETE.${p}CRATES`, "PAY"),
        await planting("living-room-room-closed", `${p}event.books.sealed`, "EVENTS"),
        await planting("living-room-room-closed", `${p}pay.recharge`, "PAY"),
        await planting("wallet-recharge", `${p}pay.refund`, "PAY"),
        await planting("wallet-recharge", `${p}pay.recharge`, "CRATES"),
        await planting("crate-reader", `${p}crate.a`, "CRATES"),
      ];
      for (const sequence of sequences)
        await expect(dead.replay(sequence, isOriginOfTable)).rejects.toThrow("it can only be given up");
      const { code, out } = await dlq("replay", "all");
      expect([code, out.match(/can only be given up/g)?.length]).toEqual([1, sequences.length]);
      const manager = await connection.jetstreamManager();
      expect((await manager.streams.info(`${p}CRATES`)).config.name).toBe(`${p}CRATES`);
      expect(handled).toEqual([]);
      for (const sequence of sequences) await dead.remove(sequence);
    });

    test("does nothing to the operator's terminal", async () => {
      const names = ["Dead-Subject", "Dead-Stream", "Dead-Reason", "Dead-Forged", "Request-Id"];
      const evil = "\u001b[2J\u009b2J\u202ea";
      const sequence = await planted("wallet-recharge", Object.fromEntries(names.map((name) => [name, evil])));
      for (const args of [["list"], ["show", String(sequence)], ["give-up", String(sequence), "--reason", "planted"]]) {
        const { code, out } = await dlq(...args);
        expect([args, code, out.includes("2J"), out.match(/[^\P{C}\n]/u)]).toEqual([args, 0, true, null]);
        if (args[0] === "give-up") expect(JSON.parse(out.split("\n")[0] as string).givenUp.reason).toBe(evil);
      }
    });
  });

  test("a replay that died before it took the letter out is not handled twice when it is repeated", async () => {
    const sequence = await bury({ id: "p-4" });
    const letter = await dead.find(sequence);
    const manager = await connection.jetstreamManager();
    const { header } = await manager.streams.getMessage(`${natsPrefix()}DEAD`, { seq: sequence });
    const msgID = `replay:${header.get("Dead-Replay-Id")}`;
    const first = await connection.jetstream().publish(letter!.subject, letter!.data, { msgID });
    expect(first.duplicate).toBe(false);
    expect(await dead.replay(sequence, isOrigin)).toBe(true);
    expect(await dead.find(sequence)).toBeUndefined();
    expect(await dead.replay(sequence, isOrigin)).toBe(false);
    // Before the reader is broken for the next one.
    await eventually("the parcel", () => handled.length === 1);
    await bury({ id: "p-5" }).then((next) => dead.replay(next, isOrigin));
    await eventually("the parcel that came after", () =>
      handled.some(({ data }) => (data as { id: string }).id === "p-5"),
    );
    expect(handled.map(({ data }) => data)).toEqual([{ id: "p-4" }, { id: "p-5" }]);
  });

  test("without a server the command fails with that reason", async () => {
    const url = process.env.NATS_ADMIN_URL;
    process.env.NATS_ADMIN_URL = "nats://127.0.0.1:1";
    try {
      expect(await dlq("list")).toMatchObject({ code: 1, out: expect.stringContaining("CONNECTION_REFUSED") });
    } finally {
      process.env.NATS_ADMIN_URL = url;
    }
  });
});
