/** What receivers of webhooks got and answered. Times are Unix ms. */
export class Received {
  /** The ids of calls that were answered, by receiver. */
  private readonly seen = new Map<number, Set<string>>();
  private lagsMs: number[] = [];
  private doubled = 0;
  private hung = 0;

  /** Of calls that were answered for the first time since the receivers came. */
  get answered(): number {
    let sum = 0;
    for (const ids of this.seen.values()) sum += ids.size;
    return sum;
  }

  /** A call was answered. */
  answeredCall(receiver: number, { id, eventAt, at }: { id: string; eventAt: number; at: number }): void {
    const ids = this.seen.get(receiver) ?? new Set();
    this.seen.set(receiver, ids);
    if (ids.has(id)) this.doubled++;
    else this.lagsMs.push(at - eventAt);
    ids.add(id);
  }

  /** A call came that is not answered. */
  hungCall(): void {
    this.hung++;
  }

  /** Since the last time that this was called; `answered` in all. */
  take(): { answered: number; lagsMs: number[]; doubled: number; hung: number } {
    const { answered, lagsMs, doubled, hung } = this;
    [this.lagsMs, this.doubled, this.hung] = [[], 0, 0];
    return { answered, lagsMs, doubled, hung };
  }
}
