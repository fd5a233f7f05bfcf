import { eventually, stopAll, stopNode } from "../../support/system.ts";
import { answers, asAlice, calls, forget, send, startGateway, startNeighbours } from "./neighbours.ts";

jest.setTimeout(60_000);

let base = "";
let broker: Awaited<ReturnType<typeof startGateway>>["broker"];

beforeAll(async () => {
  process.env.HTTP_DRAIN_MS = "6000";
  // The call that runs outlives the draining.
  process.env.CALL_TIMEOUT_MS = "40000";
  await startNeighbours();
  ({ base, broker } = await startGateway());
});
beforeEach(forget);
afterAll(stopAll);

test("while nobody offers what a route needs it answers 503 at once", async () => {
  answers["gift.catalogue"] = () => {
    throw Object.assign(new Error("gone"), { type: "SERVICE_NOT_FOUND" });
  };
  const answer = await send(`${base}/live/api/gift/listGift`, { headers: asAlice });
  expect(answer.status).toBe(503);
  expect(answer.headers.get("retry-after")).toMatch(/^\d+$/);
});

test("a gateway that stops says so, answers as always for a while, ends what it has begun, and then is gone", async () => {
  const catalogue = `${base}/live/api/gift/listGift`;
  let finish: () => void = () => {};
  answers["gift.catalogue"] = () => new Promise((resolve) => (finish = () => resolve({ list: [], nextAfter: null })));
  const running = send(catalogue, { headers: asAlice });
  await eventually("the request runs", () => calls.length === 1);

  const stopping = stopNode(broker);
  const ready = await eventually("draining", async () => {
    const answer = await send(`${base}/health/ready`, { method: "GET" });
    return answer.status === 503 ? answer : undefined;
  });
  expect(ready.headers.get("retry-after")).toMatch(/^\d+$/);
  expect(ready.headers.get("connection")).toBe("close");
  const served = await send(`${base}/live/api/userLogin/logout`);
  expect([served.status, served.headers.get("connection")]).toEqual([200, "close"]);
  expect((await send(`${base}/health/live`, { method: "GET" })).status).toBe(200);
  await eventually(
    "no connection is taken",
    () =>
      fetch(`${base}/health/live`).then(
        () => false,
        () => true,
      ),
    20_000,
  );

  finish();
  const answer = await running;
  expect([answer.status, answer.code]).toEqual([200, 200]);
  await stopping;
});
