import { csrfOf, isSameSecret, newSessionToken, newSetupCode, tokenHash } from "../../../services/staff/tokens.ts";

test("a session's token has 256 random bits, a setup code 160", () => {
  expect(newSessionToken()).toMatch(/^[\w-]{43}$/);
  expect(newSetupCode()).toMatch(/^[\w-]{27}$/);
  expect(new Set(Array.from({ length: 100 }, newSessionToken)).size).toBe(100);
});

test("the CSRF token follows from the session's, and is neither it nor what the database keeps", () => {
  const token = newSessionToken();
  expect(csrfOf(token)).toBe(csrfOf(token));
  expect(csrfOf(newSessionToken())).not.toBe(csrfOf(token));
  expect([token, tokenHash(token).toString("base64url")]).not.toContain(csrfOf(token));
});

test("secrets are compared whole, of whatever length they are", () => {
  expect([isSameSecret("abc", "abc"), isSameSecret("abc", "ab"), isSameSecret("", "a")]).toEqual([true, false, false]);
});
