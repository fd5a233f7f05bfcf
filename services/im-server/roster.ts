interface Member {
  readonly id: string;
  readonly userId: string;
  readonly roomId: number;
}

const nobody: ReadonlySet<never> = new Set<never>();

/**
 * The connections of this node: by their id, by room, by user. A user has one connection; another one of theirs may
 * still stand here until it is closed, but is not found by the user any more.
 */
export class Roster<M extends Member> {
  private readonly byId = new Map<string, M>();
  private readonly byUser = new Map<string, M>();
  private readonly byRoom = new Map<number, Set<M>>();

  get size(): number {
    return this.byId.size;
  }

  get rooms(): number[] {
    return [...this.byRoom.keys()];
  }

  /** From now on the connection is counted and gets its room's frames; not yet its user's. */
  add(member: M): void {
    this.byId.set(member.id, member);
    const room = this.byRoom.get(member.roomId);
    if (room) room.add(member);
    else this.byRoom.set(member.roomId, new Set([member]));
  }

  /** Makes it the connection of its user. */
  claim(member: M): void {
    this.byUser.set(member.userId, member);
  }

  /** Removes it wherever it stands; a newer connection of the same user stays. False where it was gone already. */
  remove(member: M): boolean {
    if (!this.byId.delete(member.id)) return false;
    if (this.byUser.get(member.userId) === member) this.byUser.delete(member.userId);
    const room = this.byRoom.get(member.roomId);
    room?.delete(member);
    if (room?.size === 0) this.byRoom.delete(member.roomId);
    return true;
  }

  byConnection(id: string): M | undefined {
    return this.byId.get(id);
  }

  ofUser(userId: string): M | undefined {
    return this.byUser.get(userId);
  }

  inRoom(roomId: number): ReadonlySet<M> {
    return this.byRoom.get(roomId) ?? nobody;
  }

  /** The connections that their users are reached by. */
  claimed(): M[] {
    return [...this.byUser.values()];
  }

  all(): M[] {
    return [...this.byId.values()];
  }
}
