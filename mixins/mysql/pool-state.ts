import type { Pool } from "mysql2/promise";

/** Numbers of connections; `waiting`: of callers who wait for one. */
export interface PoolState {
  readonly busy: number;
  readonly open: number;
  readonly most: number;
  readonly waiting: number;
}

/** The lists of mysql2's pool, which its types do not have. */
interface PoolLists {
  readonly _allConnections: { readonly length: number };
  readonly _freeConnections: { readonly length: number };
  readonly _connectionQueue: { readonly length: number };
}

/** The state of the pools of one database; those to a server that was left count until they are closed. */
export function stateOf(pools: readonly Pool[], most: number): PoolState {
  const lists = pools.map(({ pool }) => pool as unknown as PoolLists);
  const sum = (count: (list: PoolLists) => number) => lists.reduce((all, list) => all + count(list), 0);
  const open = sum((list) => list._allConnections.length);
  return {
    busy: open - sum((list) => list._freeConnections.length),
    open,
    most,
    waiting: sum((list) => list._connectionQueue.length),
  };
}
