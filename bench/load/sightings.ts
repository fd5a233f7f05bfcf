interface Sighting {
  answeredAt: number | undefined;
  roomId: number | undefined;
  /** When each viewer saw the gift, by the viewer's number. */
  seenAt: Map<number, number>;
}

/** Records which viewer saw which gift when. Times are ms of one clock. */
export class Sightings {
  private readonly orders = new Map<string, Sighting>();
  private readonly viewersOf = new Map<number, number[]>();

  addViewer(viewer: number, roomId: number): void {
    const viewers = this.viewersOf.get(roomId) ?? [];
    this.viewersOf.set(roomId, [...viewers, viewer]);
  }

  accepted(orderId: string, roomId: number, at: number): void {
    const order = this.order(orderId);
    order.answeredAt = at;
    order.roomId = roomId;
  }

  /** Only the first sighting counts; a frame may arrive before the HTTP answer. */
  seen(orderId: string, viewer: number, at: number): void {
    const { seenAt } = this.order(orderId);
    if (!seenAt.has(viewer)) seenAt.set(viewer, at);
  }

  /** Accepted gifts that a viewer of their room has not seen yet. */
  missing(): number {
    let missing = 0;
    for (const { answeredAt, roomId, seenAt } of this.orders.values())
      if (answeredAt !== undefined && this.viewers(roomId).some((viewer) => !seenAt.has(viewer))) missing++;
    return missing;
  }

  /** Times from answer to frame, for every accepted gift and viewer who saw it; 0 where the frame came first. */
  delays(): number[] {
    const delays: number[] = [];
    for (const { answeredAt, roomId, seenAt } of this.orders.values()) {
      if (answeredAt === undefined) continue;
      for (const viewer of this.viewers(roomId)) {
        const at = seenAt.get(viewer);
        if (at !== undefined) delays.push(Math.max(0, at - answeredAt));
      }
    }
    return delays;
  }

  /** Forgets the gifts, not the viewers. */
  clear(): void {
    this.orders.clear();
  }

  private viewers(roomId: number | undefined): readonly number[] {
    return (roomId !== undefined && this.viewersOf.get(roomId)) || [];
  }

  private order(orderId: string): Sighting {
    let order = this.orders.get(orderId);
    if (!order) {
      order = { answeredAt: undefined, roomId: undefined, seenAt: new Map() };
      this.orders.set(orderId, order);
    }
    return order;
  }
}
