import type { ServiceBroker } from "moleculer";
import { during, Spans } from "../../broker/tracing/spans.ts";
import { tracerOf } from "../../broker/tracing/tracer.ts";
import type { RoomSender } from "./room-sender.ts";
import type { RoomGifts } from "./room-tick.ts";

/** What a room's traces are told apart by: its number and that of the trace. */
const tracesOf = (rooms: readonly RoomGifts[]) =>
  rooms.flatMap(({ traces = [] }, room) => traces.map((traceparent, n) => ({ key: `${room} ${n}`, traceparent })));

/**
 * Sends gifts to their rooms: see `im-router.roomGifts`. A trace of a room has a span until the frames of its gifts were
 * passed to the nodes, and goes on with the frames.
 */
export async function showGifts(broker: ServiceBroker, sender: RoomSender, rooms: readonly RoomGifts[]): Promise<void> {
  const spans = tracerOf(broker) && Spans.start(broker, "im-router.roomGifts", "server", tracesOf(rooms));
  const own = (room: RoomGifts, at: number): RoomGifts => {
    const { traces: given, ...rest } = room;
    const traces = given?.flatMap((_, n) => spans?.of(`${at} ${n}`) ?? []);
    return { ...rest, ...(traces?.length && { traces }) };
  };
  const sent = spans ? rooms.map(own) : rooms;
  await during(spans, () => sender.send((tick) => sent.map((room) => tick.addGifts(room))));
}
