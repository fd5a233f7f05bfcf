/** A room's connection of clients/typescript whose node dies. No other page may be sent to that node. */
import { setTimeout as pause } from "node:timers/promises";
import { roomConnection } from "../../../clients/typescript/src/index.ts";
import { config } from "../../../config/config.ts";
import type { Child } from "../../../scripts/children.ts";
import { apiUrl, scene } from "../../support/client.ts";
import { startExtraNode } from "../../support/cluster-nodes.ts";
import { eventually } from "../../support/eventually.ts";
import { clientOf, leaveRooms, recorded } from "../../support/recorded-room.ts";
import { expectWholeBooksBalanced } from "../../support/whole-books.ts";

let extra: Child | undefined;

afterAll(async () => {
  leaveRooms();
  await extra?.stop(20_000);
  await expectWholeBooksBalanced();
});

test("when its im-server is killed it comes back on another and misses no gift", async () => {
  const { anchor, fan, roomId } = await scene();
  const label = "im-server-of-the-client";
  const node = startExtraNode("im-server", label);
  extra = node;
  const ready = await node.ready;
  const { ports } = JSON.parse(ready?.[1] ?? "{}") as { ports: Record<string, number> };
  const sender = clientOf(fan);
  const api = clientOf(anchor).api;
  let tickets = 0;
  const viewer = recorded(
    roomConnection(async (signal) => {
      const ticket = () => api.im.getImConfig(undefined, { signal });
      if (++tickets > 1) return ticket();
      return eventually("a place on the node to be killed", async () => {
        const found = await ticket();
        // A user's questions where to go have a rate.
        return found.wsImServerAddress.includes(`:${ports["im-server"]}/`) ? found : pause(200, undefined);
      });
    }, roomId),
  );
  await viewer.online();
  const gift = { giftId: 24, roomId, receiverId: anchor.userId };
  let accepted = 0;
  const send = async () => {
    const result = await sender.gifts.send(gift);
    if (result.outcome !== "accepted") throw result;
    accepted += 1;
  };
  for (let gifts = 0; gifts < 5; gifts++) await send();
  await eventually("the first effects", () => viewer.counts() > 0);
  // With their nodes only for who may see the metrics.
  const headers = { authorization: `Bearer ${config().METRICS_TOKEN}` };
  const nodes = async () => (await fetch(`${apiUrl()}/health/ready`, { headers })).text();
  expect(await nodes()).toContain(label);
  process.kill(node.pid as number, "SIGKILL");
  for (let gifts = 0; gifts < 5; gifts++) await send();
  await eventually("all effects", () => viewer.counts() === accepted, 30_000);
  expect(viewer.seen.online).toHaveLength(2);
  expect(viewer.seen.gap).toBeUndefined();
  expect(viewer.counts()).toBe(10);
  // Until its death is noticed other users may be sent to it too: those of the next test file.
  await eventually("its death is noticed", async () => !(await nodes()).includes(label), 30_000);
}, 60_000);
