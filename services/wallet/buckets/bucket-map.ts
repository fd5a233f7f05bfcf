/** Which server has which bucket, as the home server said at one time. Pure. */

export interface BucketRow {
  readonly bucket: number;
  readonly server: string;
  readonly revision: number;
}

/** A bucket has rows on a server that it has left. */
export interface LeftRows {
  readonly bucket: number;
  readonly server: string;
}

export class BucketMap {
  private readonly rows: ReadonlyMap<number, BucketRow>;
  private readonly left = new Map<number, Set<string>>();
  private readonly home: string;

  constructor(home: string, rows: readonly BucketRow[], left: readonly LeftRows[]) {
    this.home = home;
    this.rows = new Map(rows.map((row) => [row.bucket, row]));
    for (const { bucket, server } of left) this.left.set(bucket, (this.left.get(bucket) ?? new Set()).add(server));
  }

  /** The server that writes the bucket's rows. */
  serverOf(bucket: number): string {
    return this.rows.get(bucket)?.server ?? this.home;
  }

  /** Grows with each move of the bucket. */
  revisionOf(bucket: number): number {
    return this.rows.get(bucket)?.revision ?? 0;
  }

  /** The other servers that have rows of the bucket's users. */
  othersOf(bucket: number): string[] {
    const now = this.serverOf(bucket);
    return [...(this.left.get(bucket) ?? [])].filter((server) => server !== now);
  }
}
