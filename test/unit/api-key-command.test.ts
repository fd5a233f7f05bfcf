import { apiKeyOrder } from "../../scripts/api-key-command.ts";
import { apiKeyDigest, idOfApiKey, isApiKey, makeApiKey } from "../../services/api-keys.ts";

const order = (line: string) => apiKeyOrder(line.split(" ").filter(Boolean)).order;

test("a key is made with a name, scopes and a number of requests", () => {
  expect(order("create --name shop --scopes users:read,gifts:send,users:read --per-minute 100")).toEqual({
    ...{ what: "create", name: "shop", scopes: ["users:read", "gifts:send"], perMinute: 100 },
  });
  expect(order("create --name shop --scopes webhooks")).toMatchObject({ perMinute: undefined });
});

test("keys are listed and revoked by their ids, at the console of a person", () => {
  expect(apiKeyOrder(["list", "--as", "lin"])).toEqual({ as: "lin", order: { what: "list" } });
  expect(order("revoke abcdefghij09")).toEqual({ what: "revoke", keyId: "abcdefghij09" });
  expect(order("")).toEqual({ what: "help" });
});

test.each([
  "create --name shop",
  "create --scopes users:read",
  "create --name shop --scopes users:all",
  "create --name shop --scopes users:read --per-minute 0",
  "create --name shop --scopes users:read --per-minute 1e3",
  "create --name shop --scopes users:read more",
  "revoke",
  "revoke ABCDEFGHIJ09",
  "revoke abcdefghij09 more",
  "list --name shop",
  "list more",
  "delete abcdefghij09",
  "list --unknown",
])("%s is refused with the usage", (line) => {
  expect(() => order(line)).toThrow(/npm run api-key/);
});

test("a key has an id and 32 random bytes, and what is kept of it is its hash", () => {
  const { key, keyId, digest } = makeApiKey();
  expect(key).toMatch(/^ovk_[a-z0-9]{12}_[A-Za-z0-9_-]{43}$/);
  expect(idOfApiKey(key)).toBe(keyId);
  expect(digest).toBe(apiKeyDigest(key));
  expect(isApiKey(key, digest)).toBe(true);
  expect(isApiKey(makeApiKey().key, digest)).toBe(false);
  for (const other of ["", "ovk_", `${key} `, key.slice(0, -1), key.toUpperCase()]) {
    expect(idOfApiKey(other)).toBeUndefined();
    expect(isApiKey(other, digest)).toBe(false);
  }
});
