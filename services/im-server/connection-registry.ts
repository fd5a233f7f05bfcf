interface Registered {
  readonly connectionId: string;
  readonly userId: string;
  readonly roomId: number;
}

const nobody: ReadonlySet<never> = new Set<never>();

/**
 * The connections of this node: by their id, by room, by user. A user has one connection; an older one of the same user
 * may be registered until it is closed, but is not found by the user.
 */
export class ConnectionRegistry<C extends Registered> {
  private readonly byId = new Map<string, C>();
  private readonly byUser = new Map<string, C>();
  private readonly byRoom = new Map<number, Set<C>>();

  get size(): number {
    return this.byId.size;
  }

  get roomCount(): number {
    return this.byRoom.size;
  }

  get rooms(): number[] {
    return [...this.byRoom.keys()];
  }

  /** From here on the connection is counted and gets its room's frames, but not yet those of its user. */
  add(connection: C): void {
    this.byId.set(connection.connectionId, connection);
    const room = this.byRoom.get(connection.roomId);
    if (room) room.add(connection);
    else this.byRoom.set(connection.roomId, new Set([connection]));
  }

  /** Makes it the connection of its user. */
  claim(connection: C): void {
    this.byUser.set(connection.userId, connection);
  }

  /** Removes it from every index; a newer connection of the same user stays. False where it was not registered. */
  remove(connection: C): boolean {
    if (!this.byId.delete(connection.connectionId)) return false;
    if (this.byUser.get(connection.userId) === connection) this.byUser.delete(connection.userId);
    const room = this.byRoom.get(connection.roomId);
    room?.delete(connection);
    if (room?.size === 0) this.byRoom.delete(connection.roomId);
    return true;
  }

  byConnection(connectionId: string): C | undefined {
    return this.byId.get(connectionId);
  }

  ofUser(userId: string): C | undefined {
    return this.byUser.get(userId);
  }

  inRoom(roomId: number): ReadonlySet<C> {
    return this.byRoom.get(roomId) ?? nobody;
  }

  /** The connections that are their users' current ones. */
  claimed(): C[] {
    return [...this.byUser.values()];
  }

  all(): C[] {
    return [...this.byId.values()];
  }
}
