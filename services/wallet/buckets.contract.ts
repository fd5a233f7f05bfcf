import { z } from "zod";
import { limits } from "../../config/limits.ts";
import { action } from "../action-contract.ts";
import { integer, operator } from "../fields.ts";

/** The buckets of users on several MySQL servers (services/wallet-servers.ts). */

export interface ServersOfBuckets {
  /** Empty where there is one server. */
  servers: { name: string; buckets: number[] }[];
  /** The newest ones first. */
  moves: {
    id: number;
    bucket: number;
    source: string;
    target: string;
    /** planned, closed, moved, done: services/wallet/buckets/move-state.ts. */
    state: string;
    /** Those that had a balance, a debt or a status. */
    accounts: number;
    createTime: string;
    /** For how long the bucket's users were answered 503, or are by now; `null` before that. */
    closedMs: number | null;
    doneTime: string | null;
  }[];
}

/** What a repair found and did, the server of the map first. */
export interface GatesRepaired {
  readonly servers: {
    readonly name: string;
    /** As it was found; `null` where it is not there, or the server is away. */
    readonly gate: { readonly isOpen: boolean; readonly revision: number } | null;
    /** `toClose`, `toOpen`: not done yet, as asked, or since another server's gate could not be closed. */
    readonly outcome: "right" | "closed" | "opened" | "toClose" | "toOpen" | "failed";
    /** Why it failed. */
    readonly why: string | null;
    /** Users of the bucket with coins, a debt or new rows here, where the map does not name the server; not all of them. */
    readonly users: string[];
    /** Whether there may be more: more are there than are named, or rows were not looked for. */
    readonly isCut: boolean;
  }[];
  /** Of the map, and of its server's gate, from now on; of a gate that is not opened: as it would be. */
  readonly revision: number;
}

export const bucketActions = {
  /** Of each server the buckets whose users may have rows there. None where there is one server. */
  bucketServers: action({}).returns<{ servers: { name: string; buckets: number[] }[] }>(),
  /** Operators: which server has which buckets, and their last moves. Fails: unavailable. */
  buckets: action({}).returns<ServersOfBuckets>(),
  /**
   * Operators: plans the move of a bucket, which a wallet node carries out at once and goes on with after a crash. False:
   * the bucket is there. Fails: invalidParam, where no server has the name; unavailable, where the bucket moves already, or
   * a wallet or gift node on the bus does not have both servers in its setting.
   */
  moveBucket: action({
    bucket: integer(0, limits.wallet.storeBuckets - 1),
    server: z.string().max(limits.wallet.serverNameChars),
    operator,
  }).returns<{ planned: boolean }>(),
  /**
   * Operators: closes the gates of a bucket that are open on servers which the map does not name; then opens that of the
   * map's server, at a new revision, unless it is right. Every step may be repeated. `closeOnly`: opens none. `dryRun`: only
   * says what it would do. Fails: invalidParam, where there is one server; unavailable, where the bucket moves.
   */
  repairGates: action({
    bucket: integer(0, limits.wallet.storeBuckets - 1),
    closeOnly: z.boolean(),
    dryRun: z.boolean(),
    operator,
  }).returns<GatesRepaired>(),
  /**
   * Operators: closes a bucket's gate on a server that the map does not name, once no transaction that found it open runs:
   * where the comparison of map and gates says that it is open. Fails: invalidParam, where the map names the server, or none
   * has the name; unavailable.
   */
  closeGate: action({
    bucket: integer(0, limits.wallet.storeBuckets - 1),
    server: z.string().max(limits.wallet.serverNameChars),
    operator,
  }).returns<{ closed: boolean }>(),
};
