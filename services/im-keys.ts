/**
 * The keys in Redis that im-router and im-server share. All of them may be lost: nodes write theirs again, and a room
 * without its state starts a new epoch.
 */
export const imKeys = Object.freeze({
  /** Hash {node, conn, room, since, generation} of a connected user; lives as long as its lease is renewed. */
  user: (userId: string) => `im:user:${userId}`,
  /**
   * Hash {epoch, seq, born, bytes, gone, kept, replaced}: the number of the last frame; when the epoch began, ms; the
   * bytes of the log; the numbers of the last frame that has left the log, of the last frame in it, and of the one in it
   * that the next frame of its kind replaces.
   */
  roomState: (roomId: number) => `im:room:${roomId}`,
  /** Sorted set of the room's last frames, by their numbers. */
  roomLog: (roomId: number) => `im:room:${roomId}:frames`,
  /** Sorted set: the nodes that hold members, by the ms at which their lease ends. */
  roomNodes: (roomId: number) => `im:room:${roomId}:nodes`,
  /** Hash: node → its number of members. */
  roomWatch: (roomId: number) => `im:room:${roomId}:watch`,
  /** Set for `limits.im.roomClosedMs` after a room was closed: nobody can enter while it is being emptied. */
  roomClosed: (roomId: number) => `im:room:${roomId}:closed`,
});
