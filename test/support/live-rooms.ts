import type { ServiceSchema } from "moleculer";

/** A living-room service whose live rooms are those for which `anchorOf` has an anchor. */
export function liveRooms(
  anchorOf: (roomId: number) => string | undefined | Promise<string | undefined>,
): ServiceSchema {
  const find = async (roomId: number) => {
    const anchorId = await anchorOf(roomId);
    return anchorId === undefined ? null : { roomId, anchorId, type: 1, roomName: "r" };
  };
  const actions = {
    find: ({ params }: { params: { roomId: number } }) => find(params.roomId),
    async anchorsOf({ params }: { params: { roomIds: number[] } }) {
      const rooms = await Promise.all(params.roomIds.map(find));
      return { list: rooms.flatMap((room) => (room ? [{ roomId: room.roomId, anchorId: room.anchorId }] : [])) };
    },
  };
  return { name: "living-room", actions } as unknown as ServiceSchema;
}
