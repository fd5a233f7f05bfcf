/** A call whose node stops, goes away or is of another release is asked of another one, where that is safe. */
import { type Context, Errors, type ServiceBroker } from "moleculer";
import { fail } from "../../../broker/failure.ts";
import { release } from "../../../config/release.ts";
import { eventually, startNode, stopAll, waitForNode } from "../../support/system.ts";

let gateway: ServiceBroker;
/** What the node with this label answers, and which of them were asked. */
let answers: Record<string, (ctx: Context) => unknown> = {};
let asked: string[] = [];
const nodes: Record<string, ServiceBroker> = {};

async function startUser(label: string): Promise<void> {
  const handler = (ctx: Context) => {
    asked.push(label);
    return (answers[label] ?? (() => label))(ctx);
  };
  nodes[label] = await startNode(
    label,
    [{ name: "user", actions: { profile: { handler }, sendLoginCode: { handler } } }],
    "user",
  );
  await waitForNode(gateway, "user", (nodes[label] as ServiceBroker).nodeID);
}

const idOf = (label: string) => (nodes[label] as ServiceBroker).nodeID;
const ask = (action = "user.profile", options = {}) =>
  gateway.call(action, {}, options).catch((error: { type?: string }) => error.type);
/** Calls until the node with this label was asked: the nodes take turns. */
async function askedOf(label: string, action?: string): Promise<unknown> {
  for (;;) {
    asked = [];
    const answer = await ask(action);
    if (asked.includes(label)) return answer;
  }
}

beforeAll(async () => {
  gateway = await startNode("gateway", [], "api-gateway");
  await startUser("one");
  await startUser("two");
});
beforeEach(() => {
  answers = {};
});
afterAll(stopAll);

const stops = ({ action }: Context) => {
  throw new Errors.ServiceNotAvailableError({ action: action?.name as string, nodeID: idOf("one") });
};

test("a call that a stopping node did not begin is asked of another node, whatever it does", async () => {
  answers.one = stops;
  expect(await askedOf("one")).toBe("two");
  expect(await askedOf("one", "user.sendLoginCode")).toBe("two");
  expect(asked).toEqual(["one", "two"]);
});

test("not where the caller chose the node, and not for ever", async () => {
  answers = {
    one: stops,
    two: ({ action }) =>
      Promise.reject(new Errors.ServiceNotAvailableError({ action: action?.name as string, nodeID: idOf("two") })),
  };
  expect(await ask("user.profile", { nodeID: idOf("one") })).toBe("SERVICE_NOT_AVAILABLE");
  asked = [];
  expect(await ask()).toBe("SERVICE_NOT_AVAILABLE");
  expect([...asked].sort()).toEqual(["one", "two"]);
});

test("an outage of what the action itself called is its own answer: it may have done something", async () => {
  answers.one = () => {
    throw new Errors.ServiceNotAvailableError({ action: "wallet.balance", nodeID: "wallet.x" });
  };
  expect(await askedOf("one")).toBe("SERVICE_NOT_AVAILABLE");
  expect(asked).toEqual(["one"]);
});

test("a node whose table does not know the caller yet is left out; where all are, the service is unavailable", async () => {
  answers.one = ({ action }) => Promise.reject(fail("callerRefused", { action: action?.name }));
  expect(await askedOf("one")).toBe("two");
  answers.two = answers.one;
  expect(await ask()).toBe("unavailable");
});

test("a node tells its release", async () => {
  const list = gateway.registry.getNodeList({}) as unknown as { id: string; metadata: unknown }[];
  expect(list.find(({ id }) => id === idOf("two"))?.metadata).toMatchObject({ release });
});

/** A call that has arrived at the node with this label, and is not answered. */
async function begun(label: string, action: string): Promise<{ answer: Promise<unknown> }> {
  for (;;) {
    asked = [];
    const answer = ask(action);
    await eventually("somebody is asked", () => asked.length > 0);
    if (asked[0] === label) return { answer };
    await answer;
  }
}

test("a node that goes away without an answer: a read is asked of another node, what must not be repeated is not", async () => {
  answers.one = () => new Promise(() => {});
  const read = await begun("one", "user.profile");
  const write = await begun("one", "user.sendLoginCode");
  asked = [];
  // As a node whose process ends: it says nothing but that it leaves.
  const { transit } = nodes.one as unknown as { transit: { disconnect(): Promise<void> } };
  await transit.disconnect();
  expect(await read.answer).toBe("two");
  expect(await write.answer).toBe("REQUEST_REJECTED");
  expect(asked).toEqual(["two"]);
});
