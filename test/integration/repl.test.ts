import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ServiceBroker, ServiceSchema } from "moleculer";
import { consoleName } from "../../broker/bus/subjects.ts";
import { fail } from "../../broker/failure.ts";
import { projectRoot } from "../../config/root.ts";
import { customCommands } from "../../scripts/repl/command.ts";
import { commands } from "../../scripts/repl/commands.ts";
import { messageOf } from "../../scripts/stack/wait.ts";
import { checkParams } from "../../services/action-contract.ts";
import { walletActions } from "../../services/wallet/wallet.contract.ts";
import { publish } from "../support/recharge.ts";
import { eventually, startNode, stopAll, stopNode } from "../support/system.ts";

// A test starts the program itself.
jest.setTimeout(120_000);

const user = "8342947113041920001";
const operators: string[] = [];

type Ctx = { params: Record<string, string> };

/** The neighbours, as far as the console asks them: the shapes are those of their contracts. */
const fakes = [
  {
    name: "wallet",
    actions: {
      balance: {
        handler({ params }: Ctx) {
          const { userId } = checkParams(walletActions.balance.params, params);
          return { userId, balance: 910, debt: 5, totalCharged: 1000, status: 2 };
        },
      },
      statement({ params }: Ctx) {
        const row = { id: "8", num: -90, type: 0, status: 0, bizId: "g-1", balanceAfter: 910 };
        const list = [
          { ...row, createTime: "2025-01-01T00:00:00.000Z" },
          { ...row, id: "7", num: 1000, type: 1, status: 1, bizId: "p-1", createTime: "2024-12-31T00:00:00.000Z" },
        ];
        return { list: list.slice(0, Number(params.limit)), nextCursor: Number(params.limit) < 2 ? "8" : null };
      },
      income: () => ({
        ...{ income: 42, incomePoints: 4_250, earned: 50, earnedPoints: 5_000, heldBack: 5, heldBackPoints: 500 },
        ...{ paidOut: 2, paidOutPoints: 250, settledUpTo: "2025-01-01T00:00:00.000Z" },
      }),
      freeze: () => null,
    },
  },
  {
    name: "platform",
    actions: {
      proposals: () => ({
        list: [
          {
            ...{
              proposalId: "5",
              userId: user,
              coins: -20_000,
              reason: "typing error",
              keyId: "abc",
              state: "proposed",
            },
            ...{ createTime: "2025-01-01T00:00:00.000Z", expiresTime: "2025-01-04T00:00:00.000Z", decidedBy: null },
          },
        ],
        nextCursor: null,
      }),
    },
  },
  {
    name: "payment",
    actions: {
      findOrder({ params }: Ctx) {
        operators.push(params.operator as string);
        if (params.orderId !== "p-1") throw fail("payOrderUnknown");
        const order = { orderId: "p-1", userId: user, productId: 10, coinNum: 1000, amount: 10_000, status: 2 };
        return { ...order, payTime: "2024-12-31T00:00:00.000Z", parked: ["creditHeld", "refundPartial"] };
      },
    },
  },
  {
    name: "gift",
    actions: {
      findOrder({ params }: Ctx) {
        operators.push(params.operator as string);
        if (params.orderId !== "g-1") throw fail("giftOrderUnknown");
        return { id: "1", orderId: "g-1", senderId: user, status: "failed", reason: "balanceShort", price: 90 };
      },
      queueDepth: () => ({ waiting: 12, inFlight: 3, deadLetters: 1 }),
    },
  },
  {
    name: "staff",
    actions: {
      audit({ params }: Ctx) {
        operators.push(params.operator as string);
        const call = { callId: "7", time: "2025-01-01T00:00:00.000Z", person: "alice", role: "support" };
        const frozen = { ...call, address: "10.0.0.1", route: "/live/admin/account/freeze", params: { reason: "x" } };
        const isAsked = params.person === undefined ? params.about !== "none" : params.person === "alice";
        const list = isAsked ? [{ ...frozen, about: user, outcome: null, outcomeTime: null }] : [];
        return { list, nextCursor: params.about === user ? "7" : null };
      },
    },
  },
  {
    name: "im-router",
    actions: {
      whereIs: ({ params }: Ctx) =>
        params.userId === user ? [{ nodeId: "im-1", roomId: 7, since: "2025-01-01T00:00:00.000Z" }] : [],
    },
  },
  {
    name: "living-room",
    actions: {
      list: ({ params }: Ctx) => ({
        list:
          Number(params.type) === 1
            ? [{ id: 7, roomName: "旗鱼的\u001b[31m直播间", anchorId: user, watchNum: 3, goodNum: 0, covertImg: "" }]
            : [],
        hasNext: false,
      }),
    },
  },
  {
    name: "im-server",
    actions: {
      status: () => ({ address: "ws://127.0.0.1:8086/im", connections: 3, rooms: 1, draining: true }),
    },
  },
] as unknown as ServiceSchema[];

let console_: ServiceBroker;

/** What a command answers, as it is printed. */
async function say(line: string): Promise<string> {
  const [name, ...words] = line.split(" ");
  const printed: string[] = [];
  const command = customCommands(commands, (text) => printed.push(text)).find(
    (candidate) => candidate.command.split(" ")[0] === name,
  );
  const names = [...(command?.command ?? "").matchAll(/[<[](\w+)[>\]]/g)].map(([, arg]) => arg);
  await command?.action(console_, Object.fromEntries(words.map((word, at) => [names[at], word])));
  return printed.join("\n");
}

beforeAll(async () => {
  console_ = await startNode("console", [], "console");
});

afterAll(stopAll);

describe("the operators' console", () => {
  test("names the service that nobody offers, while the system is down", async () => {
    expect(await say(`balance ${user}`)).toMatch(/^no node offers this now \(.*wallet\.balance/);
  });

  describe("on a running system", () => {
    let system: ServiceBroker;

    beforeAll(async () => {
      system = await startNode("system", fakes);
      const names = fakes.map(({ name }) => name);
      await console_.waitForServices(names);
    });

    afterAll(() => stopNode(system));

    test("balance: the account in words", async () => {
      expect(await say(`balance ${user}`)).toBe(
        [
          `user          ${user}`,
          "balance       910",
          "debt          5",
          "ever charged  1000",
          "status        frozen",
        ].join("\n"),
      );
    });

    test("statement: as many rows as asked for, and whether there are older ones", async () => {
      const all = await say(`statement ${user}`);
      expect(all.split("\n")).toHaveLength(4);
      expect(all).toMatch(/8 +2025-01-01T00:00:00.000Z +gift \(rejected\) +-90 +910 +g-1/);
      expect(all).toMatch(/7 +2024-12-31T00:00:00.000Z +recharge +1000 +910 +p-1/);
      const one = await say(`statement ${user} 1`);
      expect(one).toMatch(/there are older ones\)$/);
      expect(one).not.toContain("p-1");
    });

    test("income: the sum, and up to when it is complete", async () => {
      expect(await say(`income ${user}`)).toMatch(
        /income +42\.50\nearned +50\nheld back +5\npaid out +2\.50\ncomplete up to +2025-01-01T00:00:00.000Z$/,
      );
    });

    test("proposals: adjustments that wait for another person", async () => {
      expect(await say("proposals")).toMatch(/5 +\d+ +-20000 +typing error +abc +2025-01-04T00:00:00.000Z/);
    });

    test("order: finds payments and gifts, in the name of the console's person", async () => {
      expect(await say("order p-1")).toMatch(
        /kind +payment\n(.*\n)*status +paid\n(.*\n)*parked +creditHeld, refundPartial$/,
      );
      expect(await say("order g-1")).toMatch(/kind +gift\n(.*\n)*reason +balanceShort$/);
      expect(await say("order nothing")).toMatch(/^neither a payment nor a gift/);
      expect(new Set(operators)).toEqual(new Set([consoleName(console_.nodeID)]));
    });

    test("audit: what the staff did, of a person, or about an id; a call without an outcome is seen", async () => {
      const row = new RegExp(
        `alice \\(support\\) +10.0.0.1 +/live/admin/account/freeze +${user} +NO OUTCOME +\\{"reason":"x"\\}$`,
      );
      expect(await say("audit")).toMatch(row);
      expect(await say("audit alice")).toMatch(row);
      expect(await say(`audit ${user}`)).toMatch(/\n\(there are more\)$/);
      // No person of this name: an id that looks like one.
      expect(await say("audit room-7")).toMatch(row);
      expect(await say("audit none")).toBe("nothing by or about none");
      expect(new Set(operators)).toEqual(new Set([consoleName(console_.nodeID)]));
    });

    test("a console's person is its operator, whatever the call says", async () => {
      await console_.call("payment.findOrder", { orderId: "p-1", operator: "console:somebody-else" });
      expect(operators.at(-1)).toBe(consoleName(console_.nodeID));
    });

    test("a console may not call what the table does not give it, by moleculer-repl's own commands neither", async () => {
      for (const action of [
        "wallet.payout",
        "wallet.freeze",
        "wallet.consumeForSendGift",
        "payment.refund",
        "$node.options",
      ])
        await expect(console_.call(action, {}, { nodeID: system.nodeID })).rejects.toMatchObject({
          type: expect.stringMatching(/^(callerRefused|SERVICE_NOT_FOUND)$/),
        });
      await expect(console_.call("wallet.freeze", {})).rejects.toMatchObject({ type: "callerRefused" });
      expect(await say(`balance ${user}`)).toContain("910");
    });

    test("queue: the gifts' queue, and dead letters of any channel", async () => {
      expect(await say("queue")).toBe("gifts waiting  12\ngifts in work  3\n\nno dead letters");
      const { default: notification } = await import("../../services/notification/notification.service.ts");
      const node = await startNode("streams", [notification]);
      await publish("dead.wallet-recharge", "{}");
      expect(await say("queue")).toMatch(/channel +dead letters\n-.*\nwallet-recharge +1\n/);
      await stopNode(node);
    });

    test("where: node and room of a user, or that there is none", async () => {
      expect(await say(`where ${user}`)).toMatch(/ 7 +2025-01-01T00:00:00.000Z +im-1$/);
      expect(await say("where 5")).toBe("user 5 is not connected");
    });

    test("rooms: every type, and no name gives the terminal orders", async () => {
      const rooms = await say("rooms");
      expect(rooms).toMatch(new RegExp(`7 +normal +${user} +3 +旗鱼的 \\[31m直播间$`));
      expect(rooms).not.toContain("\u001b");
    });

    test("ims: each im-server with its state", async () => {
      expect(await say("ims")).toMatch(/system-\S+ +3 +1 +draining +ws:\/\/127.0.0.1:8086\/im$/);
    });

    test("a command that was typed wrong is explained, and nothing is called", async () => {
      expect(await say("balance abc")).toBe('a user id is a decimal number, not "abc"');
      expect(await say(`statement ${user} 0`)).toBe('n is 1 to 100, not "0"');
      expect(await say(`statement ${user} x`)).toBe('n is 1 to 100, not "x"');
    });

    test("the program itself: a prompt that knows the commands and their help, and ends with its input", async () => {
      const home = mkdtempSync(join(tmpdir(), "repl-"));
      const child = spawn(process.execPath, [join(projectRoot(), "scripts/repl.ts")], {
        cwd: projectRoot(),
        env: { ...process.env, HOME: home, CONSOLE_NAME: "alice", CONSOLE_URL: process.env.NATS_URL },
      });
      let out = "";
      child.stdout.on("data", (data) => {
        out += data;
      });
      child.stderr.on("data", (data) => {
        out += data;
      });
      const ended = new Promise((resolve) => child.once("exit", resolve));
      try {
        await eventually("the prompt", () => out.includes(`${process.env.NAMESPACE} $`), 40_000);
        expect(out).toContain("Connected as console.alice.");
        let askedAt = Number.NEGATIVE_INFINITY;
        // The console may not have found the wallet yet.
        const asked = () => {
          if (performance.now() - askedAt > 2_000) {
            askedAt = performance.now();
            child.stdin.write(`balance ${user}\n`);
          }
          return /status +frozen/.test(out);
        };
        await eventually("the balance", asked, 40_000);
        child.stdin.write("help statement\n");
        await eventually("the help", () => /Usage: .*statement \[options\] <userId> \[n\]/.test(out));
        child.stdin.end();
        expect(await ended).toBe(0);
      } catch (error) {
        // The message comes first: it says whether a deadline was missed.
        throw new Error(`${messageOf(error)}; it said:\n${out}`, { cause: error });
      } finally {
        child.kill("SIGKILL");
        rmSync(home, { recursive: true });
      }
    });
  });
});
