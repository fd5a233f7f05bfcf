import type { ServerResponse } from "node:http";
import { connect } from "node:net";
import { FrontDoor } from "../../../mixins/http/front-door.ts";
import type { GatewayRequest } from "../../../mixins/http/request-context.ts";

jest.mock("../../../config/limits.ts", () => {
  const { limits } = jest.requireActual("../../../config/limits.ts");
  return { limits: { ...limits, http: { ...limits.http, maxConcurrentRequests: 2, bodyPatienceMs: 1_000 } } };
});

/** What a door waits for while it lingers. */
let mockLinger: (ms: number) => Promise<void>;
jest.mock("node:timers/promises", () => ({ setTimeout: (ms: number) => mockLinger(ms) }));

const host = "127.0.0.1";
const doors: FrontDoor[] = [];
let served: ServerResponse[] = [];
let done: GatewayRequest[] = [];

function newDoor(): FrontDoor {
  const door = new FrontDoor({
    failed(error) {
      throw error;
    },
    serve: (_request, response) => void served.push(response),
    done: (request) => void done.push(request),
  });
  doors.push(door);
  return door;
}

async function until(check: () => boolean): Promise<void> {
  while (!check()) await new Promise((resolve) => setTimeout(resolve, 5));
}

beforeEach(() => {
  served = [];
  done = [];
});
afterEach(async () => {
  jest.restoreAllMocks();
  for (const door of doors.splice(0)) await door.close();
});

test("more requests than it may have at a time are answered 503 at once, a liveness probe apart", async () => {
  const door = newDoor();
  const base = `http://${host}:${await door.listen(host, 0, false)}`;
  const running = [fetch(base), fetch(base)];
  await until(() => served.length === 2);
  const refused = await fetch(base);
  expect(refused.status).toBe(503);
  expect(refused.headers.get("retry-after")).toMatch(/^\d+$/);
  expect(await refused.json()).toEqual({ code: 503, msg: expect.any(String), data: null });
  const probe = fetch(`${base}/health/live`);
  await until(() => served.length === 3);
  for (const response of served) response.end();
  await Promise.all([...running, probe]);
  await until(() => done.length === 4);
  const after = fetch(base);
  await until(() => served.length === 4);
  served[3]?.end();
  expect((await after).status).toBe(200);
});

test("who does not send the announced body loses the place to a newer request once there is no other", async () => {
  let now = 0;
  jest.spyOn(performance, "now").mockImplementation(() => now);
  const door = newDoor();
  const port = await door.listen(host, 0, false);
  const cut: string[] = [];
  const open = (name: string, head: string) => {
    const socket = connect(port, host).resume();
    socket.once("close", () => cut.push(name));
    socket.write(`POST / HTTP/1.1\r\nHost: x\r\n${head}`);
    return socket;
  };
  const sent = open("sent", "Content-Length: 2\r\n\r\n{}");
  await until(() => served.length === 1);
  open("slow", "Content-Length: 2\r\n\r\n{");
  await until(() => served.length === 2);
  const base = `http://${host}:${port}`;
  expect((await fetch(base)).status).toBe(503);

  now += 1_000;
  const newer = fetch(base);
  await until(() => served.length === 3);
  await until(() => cut.length > 0);
  expect(cut).toEqual(["slow"]);
  expect((await fetch(base)).status).toBe(503);
  for (const response of served) response.end();
  expect((await newer).status).toBe(200);
  sent.destroy();
});

test("a drain says so first and answers as always, then refuses connections and waits for what runs, but not for ever", async () => {
  const door = newDoor();
  const base = `http://${host}:${await door.listen(host, 0, false)}`;
  const running = fetch(base);
  await until(() => served.length === 1);
  let drained = false;
  const lingered = Promise.withResolvers<void>();
  mockLinger = jest.fn(() => lingered.promise);
  const waiting = door.drain(60_000, 300).then(() => {
    drained = true;
  });
  const ready = await fetch(`${base}/health/ready?x=1`);
  expect([ready.status, ready.headers.get("connection")]).toEqual([503, "close"]);
  const late = fetch(base);
  await until(() => served.length === 2);
  served[1]?.end();
  const answer = await late;
  expect([answer.status, answer.headers.get("connection")]).toEqual([200, "close"]);
  expect(mockLinger).toHaveBeenCalledWith(300);
  lingered.resolve();
  while (
    await fetch(`${base}/health/ready`).then(
      () => true,
      () => false,
    )
  )
    await new Promise(setImmediate);
  expect(drained).toBe(false);
  served[0]?.end();
  await waiting;
  expect((await running).status).toBe(200);

  const second = newDoor();
  const hanging = fetch(`http://${host}:${await second.listen(host, 0, false)}`);
  const lost = expect(hanging).rejects.toThrow();
  await until(() => served.length === 3);
  await second.drain(20);
  // The time of the first drain is over, and a repeat has none of its own.
  await second.drain(600_000);
  await second.close();
  await lost;
});

test("closing ends connections that are kept alive", async () => {
  const door = newDoor();
  const port = await door.listen(host, 0, false);
  const socket = connect(port, host);
  await new Promise((resolve) => socket.once("connect", resolve));
  const closed = new Promise((resolve) => socket.once("close", resolve));
  socket.resume();
  await door.close();
  await closed;
});

test("a taken port is refused, or the next free one is taken where that is wished", async () => {
  const first = await newDoor().listen(host, 0, false);
  await expect(newDoor().listen(host, first, false)).rejects.toMatchObject({ code: "EADDRINUSE" });
  const door = newDoor();
  const second = await door.listen(host, first, true);
  expect(second).toBeGreaterThan(first);
  expect(second).toBeLessThanOrEqual(first + 100);
  expect(door.port).toBe(second);
});

test("bytes that are no HTTP request are answered with an error and their connection is closed", async () => {
  const door = newDoor();
  const socket = connect(await door.listen(host, 0, false), host);
  let text = "";
  socket.on("data", (chunk) => {
    text += chunk;
  });
  socket.write("\u0001 nonsense\r\n\r\n");
  await new Promise((resolve) => socket.once("close", resolve));
  expect(text).toMatch(/^HTTP\/1\.1 400 /);
  expect(text).toContain('{"code":400');
  expect(served).toEqual([]);
});

test("an error thrown by a request ends that connection alone, and is reported", async () => {
  const broken = new Error("a request that cannot be handled");
  const told: unknown[] = [];
  const door = new FrontDoor({
    failed: (error) => told.push(error),
    serve(request, response) {
      if (request.url === "/broken") throw broken;
      response.end("served");
    },
    done() {
      throw broken;
    },
  });
  doors.push(door);
  const base = `http://${host}:${await door.listen(host, 0, false)}`;
  await expect(fetch(`${base}/broken`)).rejects.toThrow();
  expect(await (await fetch(base)).text()).toBe("served");
  await until(() => told.length === 3);
  expect(told).toEqual([broken, broken, broken]);
});
