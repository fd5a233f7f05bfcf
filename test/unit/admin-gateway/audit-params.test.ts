import fc from "fast-check";
import { limits } from "../../../config/limits.ts";
import { aboutOf, auditedParams } from "../../../services/admin-gateway/audit-params.ts";
import { auditEndpoints } from "../../../services/admin-gateway/endpoints/audit.ts";

test("secrets and phone numbers are left out by their names, at any depth", () => {
  const secret = "of-hers";
  const names = ["password", "newPassword", "totp", "code", "session", "token", "key", "secret", "phone"];
  const params = Object.fromEntries(names.map((name) => [name, secret]));
  const shown = auditedParams({ ...params, name: "ada", nested: { list: [params], keyId: "k-1" }, keyId: "k-2" });
  expect(JSON.stringify(shown)).not.toContain(secret);
  expect(shown).toMatchObject({ name: "ada", keyId: "k-2", nested: { keyId: "k-1" } });
  expect(Object.keys(shown)).toEqual(expect.arrayContaining(names));
});

test.each([
  ["13812345678", "*5678"],
  ["+8613812345678", "*5678"],
  ["8613812345678 called", "*5678 called"],
  ["13812345678/15987654321", "*5678/*4321"],
  ["138 1234 5678", "*5678"],
  ["138-1234-5678 called", "*5678 called"],
  ["+86 138 1234 5678", "*5678"],
  ["008613812345678", "*5678"],
  ["order 113812345678", "order 113812345678"],
  ["138123456789", "138123456789"],
  ["1381234567", "1381234567"],
])("a mobile number that somebody wrote keeps its end alone: %s", (text, shown) => {
  for (const name of ["q", "reason", "remark", "about", "person"])
    expect(auditedParams({ [name]: text })).toEqual({ [name]: shown });
  // An id is an id.
  expect(auditedParams({ userId: text })).toEqual({ userId: text });
});

test.each([
  ["5678", "5678"],
  ["45678", "*5678"],
  ["12345678", "*5678"],
  [" 12345678 ", "*5678"],
  ["123456789", "123456789"],
])("of an end of a phone that is searched for four digits stay: %s", (q, shown) => {
  expect(auditedParams({ q })).toEqual({ q: shown });
});

test("a number in the place of a text keeps its end alone, and what the audit is filtered by too", () => {
  expect(auditedParams({ reason: 13812345678, coins: 13812345678 })).toEqual({ reason: "*5678", coins: 13812345678 });
  const list = auditEndpoints.find(({ path }) => path === "/live/admin/audit/list");
  expect(list?.about({ about: "138 1234 5678" })).toBe("*5678");
  expect([list?.about({ person: "ada" }), list?.about({})]).toEqual(["ada", undefined]);
});

test.each([
  ["https://hooks.example.com/T0/secret?token=x#y", "https://hooks.example.com/…"],
  ["https://user:password@hooks.example.com:8443/", "https://hooks.example.com:8443/…"],
  ["a secret", "(left out)"],
])("of a webhook's URL the host is there alone, since the rest may be a secret: %s", (url, shown) => {
  expect(auditedParams({ webhookId: "w-1", url })).toEqual({ webhookId: "w-1", url: shown });
});

test("params of any shape and depth are copied or cut, never refused", () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 12 })), (params) => {
      expect(JSON.stringify(auditedParams(params)).length).toBeGreaterThan(1);
    }),
  );
  let deep: Record<string, unknown> = {};
  for (let at = 0; at < 10_000; at++) deep = { deep };
  expect(JSON.stringify(auditedParams(deep)).length).toBeLessThan(500);
});

test.each([
  [{ userId: "77", orderId: "o-1" }, "o-1"],
  [{ userId: "77", coins: 5, adjustId: "a-1" }, "77"],
  [{ holdId: "h-1", reason: "r" }, "h-1"],
  [{ roomId: 5, reason: "r" }, "5"],
  [{ anchorId: "78" }, "78"],
  [{ giftId: 22, price: 5 }, "22"],
  [{ name: "ada", role: "viewer" }, "ada"],
  [{ userId: [], orderId: {}, roomId: 5 }, "5"],
  [{ price: 5 }, undefined],
  [{ orderId: "" }, undefined],
])("what a call concerns is the first id of its params: %j", (params, about) => {
  expect(aboutOf(params)).toBe(about);
  expect(aboutOf({ orderId: "x".repeat(1_000) })).toHaveLength(limits.staff.aboutChars);
});
