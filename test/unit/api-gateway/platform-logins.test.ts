import { fail, failureName } from "../../../broker/failure.ts";
import { limits } from "../../../config/limits.ts";
import type { VerifiedJwt } from "../../../services/api-gateway/logins/jwt-verifier.ts";
import { Logins } from "../../../services/api-gateway/logins/logins.ts";
import { PlatformLogins } from "../../../services/api-gateway/logins/platform-logins.ts";
import { PlatformUsers } from "../../../services/api-gateway/logins/platform-users.ts";
import { RevokedTokens } from "../../../services/api-gateway/logins/revoked-tokens.ts";
import { tokenKeys } from "../../../services/token-keys.ts";
import { silentLog } from "../../support/silent-log.ts";
import { tokenOf } from "../../support/tokens.ts";
import { newKeys } from "../../support/unit-signatures.ts";

process.env.TOKEN_KEYS ??= newKeys();
const { namesEveryMs } = limits.jwt;

const jwt = (over: Partial<VerifiedJwt> = {}): VerifiedJwt => ({
  ...{ externalId: "u", issuedAt: Date.now(), expiresAt: Date.now() + 60_000, sessionId: 7 },
  ...over,
});

describe("names in JWTs", () => {
  const opened = () => {
    const ofExternal = jest.fn(async (_user: object) => ({ userId: "1" }));
    return { ofExternal, users: new PlatformUsers({ ofExternal, log: silentLog }) };
  };
  const settled = () => new Promise((resolve) => setImmediate(resolve));
  const later = () => performance.now() + namesEveryMs;

  test("go with the first request of a user, and are written again where they change, once in a minute at most", async () => {
    const { ofExternal, users } = opened();
    const first = jwt({ nickName: "Lin" });
    expect(await users.userIdOf(first)).toBe("1");
    expect(users.offerNames(first)).toBe(true);
    const renamed = jwt({ nickName: "Mei", issuedAt: first.issuedAt + 1_000 });
    expect(users.offerNames(renamed)).toBe(false);
    expect(ofExternal).toHaveBeenCalledTimes(1);
    users.offerNames(renamed, later());
    await settled();
    expect(ofExternal.mock.calls).toEqual([
      [{ externalId: "u", nickName: "Lin", issuedAt: first.issuedAt }],
      [{ externalId: "u", nickName: "Mei", issuedAt: renamed.issuedAt }],
    ]);
    expect(users.offerNames(renamed, later())).toBe(true);
  });

  test("of an older JWT do not replace those of a newer one", async () => {
    const { ofExternal, users } = opened();
    await users.userIdOf(jwt({ nickName: "Mei", issuedAt: 2_000 }));
    expect(users.offerNames(jwt({ nickName: "Lin", issuedAt: 1_000 }), later())).toBe(true);
    expect(ofExternal).toHaveBeenCalledTimes(1);
  });

  test("that are not written are written by a later request", async () => {
    const { ofExternal, users } = opened();
    await users.userIdOf(jwt({ issuedAt: 0 }));
    ofExternal.mockRejectedValueOnce(fail("unavailable"));
    const renamed = jwt({ nickName: "Mei" });
    users.offerNames(renamed, later());
    await settled();
    expect(users.offerNames(renamed, later())).toBe(false);
    users.offerNames(renamed, later() + namesEveryMs);
    await settled();
    expect(users.offerNames(renamed, later())).toBe(true);
    expect(ofExternal).toHaveBeenCalledTimes(3);
  });

  test("whose login is revoked is asked for again, once a second: the user may be erased", async () => {
    const { ofExternal, users } = opened();
    await users.userIdOf(jwt());
    expect(ofExternal.mock.calls[0]).toEqual([expect.objectContaining({ issuedAt: expect.any(Number) })]);
    expect(users.forget(jwt().externalId)).toBe(false);
    await users.userIdOf(jwt());
    expect(ofExternal).toHaveBeenCalledTimes(1);
    expect(users.forget(jwt().externalId, performance.now() + limits.jwt.askAgainMs)).toBe(true);
    await users.userIdOf(jwt());
    users.forgetUser("another");
    await users.userIdOf(jwt());
    expect(ofExternal).toHaveBeenCalledTimes(2);
    users.forgetUser("1");
    await users.userIdOf(jwt());
    expect(ofExternal).toHaveBeenCalledTimes(3);
  });

  test("where a user is not known because the service failed, the next request asks again", async () => {
    const { ofExternal, users } = opened();
    ofExternal.mockRejectedValueOnce(fail("unavailable"));
    expect(await users.userIdOf(jwt()).catch(failureName)).toBe("unavailable");
    expect(await Promise.all([users.userIdOf(jwt()), users.userIdOf(jwt())])).toEqual(["1", "1"]);
    expect(ofExternal).toHaveBeenCalledTimes(2);
  });
});

describe("a login by JWT", () => {
  const opened = () => {
    const verify = jest.fn(async (_token: string) => jwt());
    const refused = jest.fn();
    const users = { userIdOf: async () => "1", offerNames: () => true, forget: () => true, forgetUser: () => {} };
    const platform = new PlatformLogins({ verifier: { verify }, users, refused, log: silentLog });
    const revoked = new RevokedTokens();
    const logins = new Logins({ keys: tokenKeys(), platform, revoked, isCurrent: () => true, log: silentLog });
    return { verify, refused, platform, revoked, logins };
  };

  test("is verified once, then known without a wait, until it expires", async () => {
    const { verify, refused, logins } = opened();
    const found = await Promise.all([logins.authenticate("a.b.c"), logins.authenticate("a.b.c")]);
    expect(found.map(({ userId }) => userId)).toEqual(["1", "1"]);
    const known = logins.authenticate("a.b.c");
    expect(known).not.toBeInstanceOf(Promise);
    expect(verify).toHaveBeenCalledTimes(1);
    jest.spyOn(Date, "now").mockReturnValue((await known).expiresAt);
    expect(() => logins.authenticate("a.b.c")).toThrow(expect.objectContaining({ type: "notLoggedIn" }));
    jest.restoreAllMocks();
    expect(refused.mock.calls).toEqual([["expired"]]);
    await logins.authenticate("a.b.c");
    expect(verify).toHaveBeenCalledTimes(2);
  });

  test("is verified again after a key was dropped, also where that happens while it is verified", async () => {
    const { verify, platform } = opened();
    const pending = platform.claimsOf("a.b.c");
    platform.forget();
    await pending;
    await platform.claimsOf("a.b.c");
    expect(verify).toHaveBeenCalledTimes(2);
    platform.forget();
    await platform.claimsOf("a.b.c");
    expect(verify).toHaveBeenCalledTimes(3);
  });

  test("is refused where it is revoked, by its session or by the time of its issue", async () => {
    const { logins, revoked } = opened();
    const { issuedAt, expiresAt, sessionId } = await logins.authenticate("a.b.c");
    revoked.add({ userId: "1", sessionId, issuedUntil: issuedAt, expiresAt });
    expect(() => logins.authenticate("a.b.c")).toThrow(expect.objectContaining({ type: "notLoggedIn" }));
    const others = opened();
    await others.logins.authenticate("a.b.c");
    others.revoked.add({ userId: "1", sessionId: 0, issuedUntil: Date.now(), expiresAt });
    expect(() => others.logins.authenticate("a.b.c")).toThrow(expect.objectContaining({ type: "notLoggedIn" }));
  });

  test("leaves own tokens as they are: no promise, and no look at the platform's logins", () => {
    const { verify, logins } = opened();
    expect(logins.authenticate(tokenOf("5"))).toMatchObject({ userId: "5" });
    expect(() => logins.authenticate("v1.a.b.c")).toThrow(expect.objectContaining({ type: "notLoggedIn" }));
    expect(verify).not.toHaveBeenCalled();
  });

  test("is unknown text where the settings allow no JWT", () => {
    const revoked = new RevokedTokens();
    const logins = new Logins({ keys: tokenKeys(), revoked, isCurrent: () => true, log: silentLog });
    expect(() => logins.authenticate("a.b.c")).toThrow(expect.objectContaining({ type: "notLoggedIn" }));
  });
});
