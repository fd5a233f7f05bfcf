/** Clients of a room, each the published one, in a process of their own. */
import { WebSocket } from "ws";
import { createImClient, type ImClient } from "../../public/js/im-client.js";
import type { FromStorm, ToStorm } from "./storm.ts";

interface Member {
  client: ImClient;
  node: string;
  /** Order id → its count, as shown. */
  shown: Map<string, number>;
  duplicates: number;
  gaps: number;
}

const members: Member[] = [];
const asked = new Map<string, (url: string) => void>();

const tell = (message: FromStorm) => process.send?.(message);

function open(userId: string): void {
  const member: Member = { client: undefined as never, node: "", shown: new Map(), duplicates: 0, gaps: 0 };
  member.client = createImClient({
    WebSocket,
    rememberedIds: 2_000,
    url: () =>
      new Promise((resolve) => {
        asked.set(userId, resolve);
        tell({ say: "address", userId });
      }),
  });
  member.client.on("login", ({ nodeId }) => {
    member.node = nodeId;
  });
  member.client.on("gap", () => member.gaps++);
  member.client.on("business", ({ data }) => {
    for (const { orderIds, count } of data.gifts ?? [])
      for (const orderId of orderIds) {
        if (member.shown.has(orderId)) member.duplicates++;
        member.shown.set(orderId, count / orderIds.length);
      }
  });
  members.push(member);
  member.client.connect();
}

process.on("message", (message: ToStorm) => {
  if (message.do === "open") for (const userId of message.userIds) open(userId);
  else if (message.do === "address") asked.get(message.userId)?.(message.url);
  else
    tell({
      say: "report",
      members: members.map(({ client, node, shown, duplicates, gaps }) => ({
        node: client.state === "online" ? node : "",
        sum: [...shown.values()].reduce((sum, count) => sum + count, 0),
        duplicates,
        gaps,
      })),
    });
});
process.on("disconnect", () => process.exit());
