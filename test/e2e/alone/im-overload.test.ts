import { setTimeout as pause } from "node:timers/promises";
import { limits } from "../../../config/limits.ts";
import { Person, post, scene } from "../../support/client.ts";
import { eventually } from "../../support/eventually.ts";
import { Viewer } from "../../support/viewer.ts";

/** What one client can do to an im-server, without any effect on the others. */

afterEach(() => {
  for (const person of people.splice(0)) person.leave();
});
const people: Person[] = [];

async function room() {
  const { anchor, fan, roomId } = await scene();
  const [guest, rude] = await Promise.all([Person.login(), Person.login()]);
  people.push(anchor, fan, guest, rude);
  return { anchor, fan, guest, rude, roomId };
}

const closing = (viewer: Viewer) => eventually("its close", () => viewer.closed);
const imConfig = (person: Person) => person.ask<{ token: string; wsImServerAddress: string }>("im/getImConfig");

test("who floods a room is closed with 4429; the room goes on and its gifts are seen", async () => {
  const { anchor, fan, guest, rude, roomId } = await room();
  const [flooding, watching] = [await rude.enter(roomId), await guest.enter(roomId)];
  const startedAt = performance.now();
  for (let i = 0; i < 500; i++) flooding.send(1003, { bizCode: 5555, data: { content: `spam ${i}` } });
  expect((await closing(flooding)).code).toBe(4429);
  const tookS = (performance.now() - startedAt) / 1_000;
  const { data } = await fan.send(roomId, anchor.userId);
  await watching.saw(data.orderId);
  const { messagesBurst, messagesPerSecond } = limits.im;
  expect(watching.business(5555).length).toBeLessThanOrEqual(messagesBurst + Math.ceil(tookS * messagesPerSecond));
  expect(watching.closed).toBeUndefined();
  // It is a matter of the connection, not of the person.
  await rude.enter(roomId);
});

test("pings are messages too: a flood of them is closed with 4429", async () => {
  const { rude, guest, roomId } = await room();
  const [flooding, watching] = [await rude.enter(roomId), await guest.enter(roomId)];
  for (let i = 0; i < 500; i++) flooding.socket.ping();
  expect((await closing(flooding)).code).toBe(4429);
  watching.socket.ping("still there");
  const answer = await new Promise((resolve) => watching.socket.once("pong", (bytes) => resolve(String(bytes))));
  expect(answer).toBe("still there");
});

test("frames sent before the greeting are handled after it, and too many are closed with 4429", async () => {
  const { rude, guest, roomId } = await room();
  const open = async (person: Person, say: (viewer: Viewer) => void) => {
    const { token, wsImServerAddress } = await imConfig(person);
    const viewer = new Viewer(`${wsImServerAddress}?token=${token}&roomId=${roomId}`);
    viewer.socket.once("open", () => say(viewer));
    return viewer;
  };
  const chat = (viewer: Viewer, content: string) => viewer.send(1003, { bizCode: 5555, data: { content } });
  const eager = await open(guest, (viewer) => chat(viewer, "early"));
  await eventually("its echo", () => eager.business(5555).some(({ data }) => data?.content === "early"));
  expect(eager.frames[0]?.code).toBe(1001);
  const flooding = await open(rude, (viewer) => {
    for (let i = 0; i < 500; i++) chat(viewer, `spam ${i}`);
  });
  expect((await closing(flooding)).code).toBe(4429);
  expect(eager.closed).toBeUndefined();
  eager.close();
});

test("a user who connects again and again is closed with 4503; others come in meanwhile, she does later", async () => {
  const { rude, guest, roomId } = await room();
  const configs = [];
  // Of each of two im-servers more than its burst: the bound counts on each alone.
  for (let i = 0; i < limits.im.userConnectsBurst * 3; i++) configs.push(await imConfig(rude));
  const tries = configs.map(
    ({ token, wsImServerAddress }) => new Viewer(`${wsImServerAddress}?token=${token}&roomId=${roomId}`),
  );
  await eventually("all decided", () => tries.filter(({ closed }) => closed).length >= tries.length - 1);
  const codes = tries.map(({ closed }) => closed?.code);
  // Each that came in replaced the one before.
  expect(codes.filter((code) => code === 4503).length).toBeGreaterThan(0);
  expect(codes.filter((code) => code !== 4503 && code !== 4409 && code !== undefined)).toEqual([]);
  expect(codes.filter((code) => code === undefined)).toHaveLength(1);
  expect(tries.find(({ closed }) => closed?.code === 4503)?.closed?.reason).toContain("too many");
  const watching = await guest.enter(roomId);
  // Not so often that her questions where to go are too many as well.
  const tryAgain = () => rude.enter(roomId).catch(() => pause(200, undefined));
  await eventually("a place again", tryAgain, 10_000);
  expect(watching.closed).toBeUndefined();
  for (const viewer of tries) viewer.close();
});

test("what is no upgrade to /im gets an HTTP status", async () => {
  const { guest } = await room();
  const { wsImServerAddress } = await imConfig(guest);
  const http = wsImServerAddress.replace(/^ws/, "http");
  expect((await fetch(http)).status).toBe(426);
  const other = new Viewer(wsImServerAddress.replace(/\/im$/, "/other"));
  expect((await closing(other)).code).toBe(1006);
  // And without a login there is no token to come with.
  expect((await post("/live/api/im/getImConfig")).status).toBe(401);
});
