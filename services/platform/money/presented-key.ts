import { fail } from "../../../broker/failure.ts";
import type { Queryable } from "../../../mixins/mysql/database.ts";
import { idOfApiKey, isApiKey } from "../../api-keys.ts";
import type { ApiScope } from "../../api-scopes.ts";
import { findValidKey } from "../key-store.ts";

/**
 * The id of the API key that a backend presented, where it is valid now and has the scope. The gateway has checked both;
 * this check holds where somebody has taken over a gateway. Fails: notLoggedIn, scopeMissing, unavailable.
 */
export async function requirePresentedKey(db: Queryable, presented: string, scope: ApiScope): Promise<string> {
  const keyId = idOfApiKey(presented);
  const key = keyId === undefined ? undefined : await findValidKey(db, keyId);
  if (!key || !isApiKey(presented, key.digest)) throw fail("notLoggedIn");
  if (!key.scopes.includes(scope)) throw fail("scopeMissing", { keyId: key.keyId, scope });
  return key.keyId;
}
