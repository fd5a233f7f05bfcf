import type { ServiceBroker, ServiceSchema } from "moleculer";
import { fail, failureName } from "../../../broker/failure.ts";
import { limits } from "../../../config/limits.ts";
import { call } from "../../../services/contracts.ts";
import livingRoom from "../../../services/living-room/living-room.service.ts";
import user from "../../../services/user/user.service.ts";
import { startNode, stopAll, waitForNode } from "../../support/system.ts";

/** Moderators of anchors: two living-room nodes and the user service, and calls from another node. */

/** What the router was asked to remove. */
const removed: object[] = [];
const neighbours: ServiceSchema[] = [
  { name: "wallet", actions: { unusableOf: () => ({ userIds: [] }) } } as unknown as ServiceSchema,
  {
    name: "im-router",
    actions: {
      closeRoom: () => null,
      removeChat({ params }: { params: { msgId: string } }) {
        if (params.msgId === "unknown") throw fail("chatUnknown");
        removed.push(params);
        return null;
      },
    },
  } as unknown as ServiceSchema,
];

let caller: ServiceBroker;

beforeAll(async () => {
  const nodes = await Promise.all(["rooms-1", "rooms-2"].map((label) => startNode(label, [livingRoom])));
  caller = await startNode("caller", neighbours);
  const people = await startNode("user", [user]);
  await Promise.all([
    ...nodes.map((node) => waitForNode(caller, "living-room", node.nodeID)),
    ...nodes.map((node) => node.waitForServices(["wallet", "user", "im-router"])),
    waitForNode(caller, "user", people.nodeID),
  ]);
});
afterAll(stopAll);
afterEach(() => {
  removed.length = 0;
});

let people = 0;
const newUser = async () =>
  (await call(caller, "user.ofExternal", { externalId: `moderated-${process.pid}-${++people}` })).userId;
const name = (anchorId: string, userId: string) => call(caller, "living-room.addModerator", { anchorId, userId });
const named = async (anchorId: string) => (await call(caller, "living-room.moderators", { anchorId })).userIds;
const mute = (callerId: string, roomId: number, userId: string) =>
  call(caller, "living-room.mute", { callerId, roomId, userId, minutes: 10 });
const unmute = (callerId: string, roomId: number, userId: string) =>
  call(caller, "living-room.unmute", { callerId, roomId, userId });
const removeChat = (callerId: string, roomId: number, msgId = "said") =>
  call(caller, "living-room.removeChat", { callerId, roomId, msgId });
const outcome = (work: Promise<unknown>) => work.then(() => "done", failureName);
/** A live room with two moderators and a viewer. */
async function scene() {
  const [anchor, moderator, second, viewer, other] = await Promise.all(Array.from({ length: 5 }, newUser));
  const { roomId } = await call(caller, "living-room.start", { userId: anchor as string, type: 1 });
  await name(anchor as string, moderator as string);
  await name(anchor as string, second as string);
  return { roomId, anchor, moderator, second, viewer, other } as Record<
    "anchor" | "moderator" | "second" | "viewer" | "other",
    string
  > & { roomId: number };
}

test("an anchor names moderators in their order, each once, and takes them off", async () => {
  const [anchor, one, two] = [await newUser(), await newUser(), await newUser()];
  await name(anchor, one);
  await name(anchor, two);
  await name(anchor, one);
  expect(await named(anchor)).toEqual([one, two]);
  expect(await outcome(name(anchor, anchor))).toBe("invalidParam");
  expect(await outcome(name(anchor, "4242"))).toBe("userUnknown");
  await call(caller, "living-room.removeModerator", { anchorId: anchor, userId: one });
  await call(caller, "living-room.removeModerator", { anchorId: anchor, userId: one });
  expect(await named(anchor)).toEqual([two]);
});

test("an anchor has 20 at the most, also where she names many at the same moment on several nodes", async () => {
  const anchor = await newUser();
  const users = await Promise.all(Array.from({ length: limits.room.moderators + 5 }, newUser));
  const outcomes = await Promise.all(users.map((userId) => outcome(name(anchor, userId))));
  expect(outcomes.filter((one) => one === "done")).toHaveLength(limits.room.moderators);
  expect(outcomes.filter((one) => one === "moderatorLimit")).toHaveLength(5);
  expect(await named(anchor)).toHaveLength(limits.room.moderators);
});

test("the role of a user is that in this room; of a room that is not live there is none", async () => {
  const { roomId, anchor, moderator, viewer } = await scene();
  const roleOf = async (userId: string, room = roomId) =>
    (await call(caller, "living-room.roleOf", { roomId: room, userId })).role;
  expect([await roleOf(anchor), await roleOf(moderator), await roleOf(viewer)]).toEqual([
    "anchor",
    "moderator",
    "viewer",
  ]);
  const elsewhere = await scene();
  expect(await roleOf(moderator, elsewhere.roomId)).toBe("viewer");
  expect(await outcome(roleOf(anchor, 99_999_999))).toBe("roomNotLive");
});

test("who may mute and unmute whom: the anchor everybody else, moderators viewers, viewers nobody", async () => {
  const { roomId, anchor, moderator, second, viewer, other } = await scene();
  const elsewhere = await scene();
  const table: [by: string, about: string, outcome: string][] = [
    [anchor, anchor, "notAllowed"],
    [moderator, anchor, "notAllowed"],
    [moderator, second, "notAllowed"],
    [moderator, moderator, "notAllowed"],
    [viewer, other, "notAllowed"],
    [viewer, anchor, "notAllowed"],
    [elsewhere.anchor, viewer, "notAllowed"],
    [elsewhere.moderator, viewer, "notAllowed"],
    [anchor, viewer, "done"],
    [anchor, second, "done"],
    [moderator, viewer, "done"],
    [moderator, other, "done"],
  ];
  for (const [by, about, expected] of table)
    expect([by, about, await outcome(mute(by, roomId, about))]).toEqual([by, about, expected]);
  for (const [by, about, expected] of table)
    expect([by, about, await outcome(unmute(by, roomId, about))]).toEqual([by, about, expected]);
});

test("who is muted in the room moderates nothing in it, be it a moderator or the anchor", async () => {
  const { roomId, anchor, moderator, viewer } = await scene();
  await mute(anchor, roomId, moderator);
  expect(await outcome(mute(moderator, roomId, viewer))).toBe("muted");
  expect(await outcome(unmute(moderator, roomId, viewer))).toBe("muted");
  expect(await outcome(removeChat(moderator, roomId))).toBe("muted");
  await unmute(anchor, roomId, moderator);
  expect(await outcome(mute(moderator, roomId, viewer))).toBe("done");
  const ban = { kind: "ban" as const, roomId, reason: "insults", operator: "staff:ann" };
  await call(caller, "user.restrict", { userId: anchor, ...ban });
  expect(await outcome(mute(anchor, roomId, viewer))).toBe("banned");
  expect(await outcome(removeChat(anchor, roomId))).toBe("banned");
});

test("a moderator does not lift what the anchor has muted; the anchor lifts all but staff's", async () => {
  const { roomId, anchor, moderator, viewer } = await scene();
  await mute(anchor, roomId, viewer);
  await mute(moderator, roomId, viewer);
  expect(await unmute(moderator, roomId, viewer)).toEqual({ lifted: 1 });
  await mute(moderator, roomId, viewer);
  const placed = { userId: viewer, kind: "mute" as const, reason: "spam", operator: "staff:ann" };
  await call(caller, "user.restrict", { ...placed, roomId });
  expect(await unmute(anchor, roomId, viewer)).toEqual({ lifted: 2 });
  const { list } = await call(caller, "user.restrictions", { userId: viewer, active: 1 });
  expect(list).toMatchObject([{ by: "staff:ann" }]);
});

test("chat: the anchor removes everybody's, also what is on screens alone; a moderator spares anchor and moderators", async () => {
  const { roomId, anchor, moderator, second, viewer } = await scene();
  await removeChat(anchor, roomId);
  await removeChat(moderator, roomId);
  expect(removed).toEqual([
    { roomId, msgId: "said", spared: [], always: true },
    { roomId, msgId: "said", spared: [anchor, second], always: false },
  ]);
  expect(await outcome(removeChat(viewer, roomId))).toBe("notAllowed");
  expect(await outcome(removeChat(moderator, roomId, "unknown"))).toBe("chatUnknown");
  expect(await outcome(removeChat(anchor, 99_999_999))).toBe("roomNotLive");
});
