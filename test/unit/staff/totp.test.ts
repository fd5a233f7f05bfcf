import { Secret } from "otpauth";
import { newTotpSecret, stepOfCode, totpUri } from "../../../services/staff/totp.ts";

/** The key of RFC 6238, appendix B. */
const secret = Secret.fromUTF8("12345678901234567890").base32;

test.each([
  [59, "287082"],
  [1_111_111_109, "081804"],
  [1_234_567_890, "005924"],
  [20_000_000_000, "353130"],
])("at %d s the code is that of RFC 6238", (seconds, code) => {
  expect(stepOfCode(secret, code, seconds * 1_000)).toBe(Math.floor(seconds / 30));
});

test("the codes of the steps beside the present one are accepted, as theirs, and no other", () => {
  const step = 37_037_036;
  const at = (steps: number) => stepOfCode(secret, "081804", (step + steps) * 30_000 + 15_000);
  expect([at(0), at(1), at(-1)]).toEqual([step, step, step]);
  expect([at(2), at(-2)]).toEqual([undefined, undefined]);
});

test("what is no code of six digits is wrong; blanks do not count", () => {
  const now = 59_000;
  expect(stepOfCode(secret, " 287 082 ", now)).toBe(1);
  for (const code of ["", "28708", "2870821", "28708a", "２８７０８２", "-87082"])
    expect([code, stepOfCode(secret, code, now)]).toEqual([code, undefined]);
});

test("a new secret has 160 random bits, and apps can read it with the person's name", () => {
  const [one, other] = [newTotpSecret(), newTotpSecret()];
  expect(Secret.fromBase32(one).bytes).toHaveLength(20);
  expect(one).not.toBe(other);
  expect(totpUri(one, "alice")).toBe(
    `otpauth://totp/Ovation:alice?issuer=Ovation&secret=${one}&algorithm=SHA1&digits=6&period=30`,
  );
});
