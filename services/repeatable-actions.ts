import type { Contracts } from "./contracts.ts";

/**
 * The actions that are asked of another node where the node that was asked has gone without an answer: reads, and writes
 * with a business id, which have one effect however often they are carried out. Of a service, those of its folder alone.
 */
const repeatable: { readonly [S in keyof Contracts]?: readonly (keyof Contracts[S] & string)[] } = {
  user: ["ofExternal", "idsOfExternal", "externalIdsOf", "profile", "profiles", "revocations", "restrictionsSince"],
  "living-room": ["list", "find", "anchorsOf", "ofAnchor", "idsOfExternal", "externalIdsOf"],
  gift: ["catalogue", "sendMany", "order", "orderForPlatform", "records", "settledSince", "settledBefore", "totals"],
  wallet: ["consumeForSendGift", "balance", "checkFunds", "unusableOf", "statement", "income", "platformOrder"],
  payment: ["products", "payChannels", "order"],
  "im-router": ["attendance", "tickets"],
  provisioner: ["makeStream", "makeConsumer"],
  battle: ["show", "history", "ofRooms"],
  platform: ["keysSince"],
  rank: ["room", "anchor", "global"],
};

const repeatableActions: ReadonlySet<string> = new Set(
  Object.entries(repeatable).flatMap(([service, actions]) => actions.map((action) => `${service}.${action}`)),
);

/** Whether an action that may have been carried out may be asked of another node. */
export const isRepeatable = (action: string): boolean => repeatableActions.has(action);
