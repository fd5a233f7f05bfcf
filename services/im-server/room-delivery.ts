import { Spans } from "../../broker/tracing/spans.ts";
import type { ImNode } from "./im-node.ts";
import type { RoomFrame } from "./room-feed.ts";

interface Delivered extends RoomFrame {
  readonly roomId: number;
  readonly traces?: readonly string[] | undefined;
}

/** Sends a frame to the members of its room on this node. The last span of each trace that it carries. */
export function deliverToRoom({ broker, rooms, connections }: ImNode, { traces, ...frame }: Delivered): void {
  const { roomId } = frame;
  if (!traces) {
    rooms.deliver(roomId, frame);
    return;
  }
  const carried = traces.map((traceparent, n) => ({ key: String(n), traceparent }));
  const members = { "ovation.node": broker.nodeID, "ovation.members": connections.inRoom(roomId).size };
  const spans = Spans.start(broker, "im-server.frame", "server", carried, members);
  rooms.deliver(roomId, frame);
  spans?.end();
}
