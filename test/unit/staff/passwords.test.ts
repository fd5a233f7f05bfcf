import { limits } from "../../../config/limits.ts";
import { isGoodPassword, PasswordHashes } from "../../../services/staff/passwords.ts";

test.each([
  "correct horse battery",
  "Tr0ub4dor&3 is long",
  "我的密码是一条很长的句子啊",
  "alice likes long sentences",
  "zXq-81-vbn-27",
])("%s may be a password of alice", (password) => {
  expect(isGoodPassword(password, "alice")).toBe(true);
});

test.each([
  ["elevenchars"],
  ["123456789012"],
  ["2026-11-26 12.30"],
  ["aaaaaaaaaaaa"],
  ["abcabcabcabcabc"],
  ["AbAbAbAbAbAbA"],
  ["abcdefghijklm"],
  ["password1234"],
  ["P4ssword!!!!!"],
  ["Passw0rd2026!"],
  ["administrator1"],
  ["alicealicealice"],
  ["alice-alice-1"],
  ["Alice2026!!!"],
  ["😀".repeat(6)],
])("%s may not", (password) => {
  expect(isGoodPassword(password, "alice")).toBe(false);
});

test("a hash has its parameters and a salt of its own, and only its password matches, in any form of its letters", async () => {
  const hashes = new PasswordHashes();
  const [one, other] = [await hashes.make("caf\u00e9 au lait, s'il", false), await hashes.make("x", false)];
  expect(one).toMatch(/^scrypt\$32768\$8\$3\$[\w-]{22}\$[\w-]{43}$/);
  expect(one.length).toBeLessThanOrEqual(200);
  expect(await hashes.make("x", false)).not.toBe(other);
  expect(await hashes.matches("cafe\u0301 au lait, s'il", one, false)).toBe(true);
  expect(await hashes.matches("cafe au lait, s'il", one, false)).toBe(false);
  // Made with other parameters, as before a change of the limits.
  const weak = "scrypt$16$8$1$c2FsdHNhbHRzYWx0c2FsdA$CGnvRV3H8aMmGMpOLZKJRwPSQ_O-rLcH1IqhTSZZ0fM";
  expect(await hashes.matches("x", weak, false)).toBe(false);
});

test("nobody's password matches nothing, and is hashed as somebody's is", async () => {
  const hashes = new PasswordHashes();
  const kept = await hashes.make("somebody's password", false);
  const spent = async (password: string | null) => {
    const before = process.cpuUsage();
    expect(await hashes.matches("x", password, false)).toBe(false);
    return process.cpuUsage(before).user;
  };
  const [somebody, nobody] = [await spent(kept), await spent(null)];
  expect(nobody).toBeGreaterThan(somebody / 3);
});

const { hashesAtOnce, hashesWaiting } = limits.staff;

test("of a flood of strangers a bounded number waits, the others are refused at once, and known addresses go on", async () => {
  const hashes = new PasswordHashes(64);
  const flood = Array.from({ length: 100 }, () =>
    hashes.matches("wrong", null, false).then(
      () => "checked",
      (error: { type?: string }) => error.type,
    ),
  );
  const known = hashes.matches("right", await hashes.make("right", true), true);
  expect(await known).toBe(true);
  const outcomes = await Promise.all(flood);
  expect(outcomes.filter((outcome) => outcome === "checked")).toHaveLength(hashesAtOnce + hashesWaiting);
  expect(outcomes.filter((outcome) => outcome === "tooMany")).toHaveLength(100 - hashesAtOnce - hashesWaiting);
  expect(await hashes.matches("wrong", null, false)).toBe(false);
});
