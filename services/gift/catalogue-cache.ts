import { LRUCache } from "lru-cache";
import type { Log } from "../../broker/log.ts";
import { fittingPage } from "../../broker/parts.ts";
import { limits } from "../../config/limits.ts";
import { BackgroundLoop } from "../../mixins/background-loop.ts";
import { BatchLoader } from "../../mixins/batch-loader.ts";
import type { CatalogueGift } from "./gift.contract.ts";

/** Columns of t_gift_config by their names in code. */
export const giftColumns = {
  giftId: ["gift_id", "integer"],
  price: ["price", "integer"],
  giftName: ["gift_name", "text"],
  status: ["status", "integer"],
  coverImgUrl: ["cover_img_url", "text"],
  svgaUrl: ["svga_url", "text"],
  createTime: ["create_time", "time"],
  updateTime: ["update_time", "time"],
} as const;

type GiftRow = Omit<CatalogueGift, "createTime" | "updateTime"> & { createTime: Date; updateTime: Date };

export function toCatalogueGift(row: GiftRow): CatalogueGift {
  return { ...row, createTime: row.createTime.toISOString(), updateTime: row.updateTime.toISOString() };
}

interface CatalogueSource {
  byIds(ids: readonly number[]): Promise<GiftRow[]>;
  find(query: { query: { status?: number }; sort: "giftId" }): Promise<GiftRow[]>;
}

interface CataloguePage {
  list: CatalogueGift[];
  nextAfter: number | null;
}

function pageAfter(all: readonly CatalogueGift[], after: number): CataloguePage {
  const gifts = all.filter(({ giftId }) => giftId > after);
  const list = fittingPage(gifts, limits.bus.listBytes);
  return { list, nextAfter: list.length < gifts.length ? (list.at(-1)?.giftId ?? null) : null };
}

/**
 * A cache of the catalogue. A broadcast removes a changed gift at once. `check` runs several times a second and finds
 * changes whose broadcast was lost. So a change is in force everywhere within a second.
 *
 * Gifts that are asked for at the same time are read together, so that many unknown ids cost few queries. That a gift is
 * unknown is cached for a short time, in a cache of its own, so that unknown ids do not evict gifts.
 */
export class CatalogueCache {
  private readonly gifts = new LRUCache<number, CatalogueGift>({
    max: limits.gift.catalogueCacheEntries,
    ttl: limits.gift.catalogueCacheTtlMs,
  });
  private readonly unknown = new LRUCache<number, true>({
    max: limits.gift.catalogueUnknownEntries,
    ttl: limits.gift.catalogueUnknownMs,
  });
  private readonly reads: BatchLoader<CatalogueGift>;
  private onSale: CatalogueGift[] | undefined;
  private seen: string | undefined;
  /** Grows at each eviction: what was read before one must not be cached after it. */
  private generation = 0;
  private readonly source: CatalogueSource;
  private readonly checksum: () => Promise<string>;

  constructor(source: CatalogueSource, checksum: () => Promise<string>) {
    this.source = source;
    this.reads = new BatchLoader(async (ids) => {
      const rows = await source.byIds(ids.map(Number));
      return new Map(rows.map((row) => [String(row.giftId), toCatalogueGift(row)]));
    }, limits.mysql.batchLoader);
    this.checksum = checksum;
  }

  /** `undefined` where the cache does not have it: ask `gift`. */
  cached(giftId: number): CatalogueGift | undefined {
    return this.gifts.get(giftId);
  }

  async gift(giftId: number): Promise<CatalogueGift | undefined> {
    const known = this.gifts.get(giftId);
    if (known || this.unknown.has(giftId)) return known;
    const generation = this.generation;
    const gift = await this.reads.get(String(giftId));
    if (generation === this.generation)
      if (gift) this.gifts.set(giftId, gift);
      else this.unknown.set(giftId, true);
    return gift;
  }

  /** The gifts on sale, by gift id. */
  async list(): Promise<CatalogueGift[]> {
    if (this.onSale) return this.onSale;
    const generation = this.generation;
    const gifts = (await this.source.find({ query: { status: 1 }, sort: "giftId" })).map(toCatalogueGift);
    if (generation === this.generation) this.onSale = gifts;
    return gifts;
  }

  /** The gifts after a gift id, as many as one answer carries. */
  async page(after = 0): Promise<CataloguePage> {
    return pageAfter(await this.list(), after);
  }

  /** As `page`, of every gift, on sale or not; read from the database each time. */
  async pageOfAll(after: number): Promise<CataloguePage> {
    return pageAfter((await this.source.find({ query: {}, sort: "giftId" })).map(toCatalogueGift), after);
  }

  evict(giftId: number): void {
    this.generation++;
    this.gifts.delete(giftId);
    this.unknown.delete(giftId);
    this.onSale = undefined;
  }

  /** Runs `check` until the loop is stopped. */
  watch(log: Log): BackgroundLoop {
    const { catalogueCheckMs: everyMs } = limits.gift;
    const round = () => this.check().then(() => false);
    return new BackgroundLoop({ name: "catalogue watch", idleMs: everyMs, errorBackoffMs: everyMs, log, round });
  }

  async check(): Promise<void> {
    const now = await this.checksum();
    if (now === this.seen) return;
    this.seen = now;
    this.generation++;
    this.gifts.clear();
    this.unknown.clear();
    this.onSale = undefined;
  }
}
