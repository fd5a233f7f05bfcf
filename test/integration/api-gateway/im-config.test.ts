/** Where a client is told to connect to, also while an im-server has just died. */
import type { ServiceBroker } from "moleculer";
import { stopAll } from "../../support/system.ts";
import { answers, asAlice, calls, forget, send, startGateway, startNeighbours } from "./neighbours.ts";

let base: string;
let neighbours: ServiceBroker;

beforeAll(async () => {
  neighbours = await startNeighbours();
  base = (await startGateway()).base;
});
beforeEach(() => forget());
afterAll(() => stopAll());

const imConfig = () => send(`${base}/live/api/im/getImConfig`, { headers: asAlice, body: {} });
const tokensAsked = () => calls.filter(({ action }) => action === "im-server.token").length;

/** The router names these nodes one after the other, then the last one again and again. */
function named(...nodeIds: string[]): { picks: number } {
  const state = { picks: 0 };
  answers["im-router.pickServer"] = () => {
    const nodeId = nodeIds[Math.min(state.picks++, nodeIds.length - 1)] as string;
    return { address: `ws://127.0.0.1:8086/${nodeId === neighbours.nodeID ? "im" : "dead"}`, nodeId };
  };
  return state;
}

test("the token comes from the server that was picked", async () => {
  named(neighbours.nodeID);
  const { status, data } = await imConfig();
  expect([status, data]).toEqual([200, { token: "im-token", wsImServerAddress: "ws://127.0.0.1:8086/im" }]);
  expect(tokensAsked()).toBe(1);
});

test("where the picked one has died in between, another one is picked at once", async () => {
  const state = named("im-server-that-died", neighbours.nodeID);
  const { status, data } = await imConfig();
  expect([status, data]).toEqual([200, { token: "im-token", wsImServerAddress: "ws://127.0.0.1:8086/im" }]);
  expect([state.picks, tokensAsked()]).toEqual([2, 1]);
});

test("where none is left the answer is 503, to be tried again", async () => {
  const state = named("im-server-that-died");
  const { status, headers } = await imConfig();
  expect([status, Number(headers.get("retry-after")) > 0, state.picks]).toEqual([503, true, 2]);
});
