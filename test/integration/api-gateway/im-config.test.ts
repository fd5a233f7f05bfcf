/** Where a client is told to connect to, also while a router has just died. */
import { fail } from "../../../broker/failure.ts";
import { stopAll } from "../../support/system.ts";
import { alice, answers, asAlice, calls, forget, send, startGateway, startNeighbours } from "./neighbours.ts";

let base: string;

beforeAll(async () => {
  await startNeighbours();
  base = (await startGateway()).base;
});
beforeEach(() => {
  forget();
  unavailableFor(0);
});
afterAll(() => stopAll());

const imConfig = () => send(`${base}/live/api/im/getImConfig`, { headers: asAlice, body: {} });
const asked = () => calls.map(({ action, params }) => [action, params]);
const ticket = { address: "ws://127.0.0.1:8086/im", token: "im-token" };
const config = { token: ticket.token, wsImServerAddress: ticket.address };

/** So many calls are not answered. */
function unavailableFor(times: number): void {
  let left = times;
  answers["im-router.tickets"] = ({ userIds }) => {
    if (left-- > 0) throw fail("unavailable", { what: "im-server" });
    return { tickets: userIds.map(() => ticket) };
  };
}

test("address and token come with one call, for the user who is logged in", async () => {
  const { status, data } = await imConfig();
  expect([status, data]).toEqual([200, config]);
  expect(asked()).toEqual([["im-router.tickets", { userIds: [alice.userId] }]]);
});

test("where the one that was asked has died, another one is asked at once", async () => {
  unavailableFor(1);
  const { status, data } = await imConfig();
  expect([status, data, asked().length]).toEqual([200, config, 2]);
});

test("where none is left the answer is 503, to be tried again", async () => {
  unavailableFor(9);
  const { status, headers } = await imConfig();
  expect([status, Number(headers.get("retry-after")) > 0, asked().length]).toEqual([503, true, 2]);
});
