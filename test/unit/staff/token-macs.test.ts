import { randomBytes } from "node:crypto";
import { namedKeysIn } from "../../../config/named-keys.ts";
import { TokenMacs } from "../../../services/staff/token-macs.ts";

const newKey = (name: string) => `${name}:${randomBytes(32).toString("base64url")}`;
const [one, other] = [newKey("one"), newKey("other")];
const macs = (keys: string) => new TokenMacs(namedKeysIn(keys));
const of = { token: "t", name: "ada", expires: new Date(1_800_000_000_000) };

test("a MAC is accepted by whoever has its key, wherever it stands in the list", () => {
  const kept = macs(one).session(of);
  expect([one, `${other},${one}`, other].map((keys) => macs(keys).isSession(kept, of))).toEqual([true, true, false]);
});

test("a MAC is of one token, one person and one time, and a session is no setup code", () => {
  const ofProcess = macs(one);
  const [session, setup] = [ofProcess.session(of), ofProcess.setupCode(of)];
  expect([ofProcess.isSession(session, of), ofProcess.isSetupCode(setup, of)]).toEqual([true, true]);
  expect([ofProcess.isSession(setup, of), ofProcess.isSetupCode(session, of)]).toEqual([false, false]);
  for (const changed of [{ token: "u" }, { name: "bob" }, { expires: new Date(1_800_000_000_001) }]) {
    expect(ofProcess.isSession(session, { ...of, ...changed })).toBe(false);
    expect(ofProcess.isSetupCode(setup, { ...of, ...changed })).toBe(false);
  }
});
