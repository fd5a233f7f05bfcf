import type { IncomingMessage } from "node:http";
import { limits } from "../../../config/limits.ts";
import { noProxies, readTrustedProxies } from "../../../config/trusted-proxies.ts";
import {
  bearerToken,
  clientOf,
  cookieToken,
  isCrossOrigin,
  isTls,
  languageOf,
  requestIdOf,
} from "../../../mixins/http/request/client.ts";
import { gather, parseForm } from "../../../mixins/http/request/fields.ts";
import { expectWithin } from "../../support/in-time.ts";

const request = (headers: Record<string, string>, remoteAddress = "::ffff:192.0.2.1") =>
  ({ headers, socket: { remoteAddress } }) as unknown as IncomingMessage;

test("a form is read to the letter", () => {
  expect({ ...parseForm("a=1&b=x+y&c=%E4%BD%A0&d&e==&&f=") }).toEqual({
    a: "1",
    b: "x y",
    c: "你",
    d: "",
    e: "=",
    f: "",
  });
  expect(() => parseForm("a=%E4%BD")).toThrow();
  expect(() => parseForm("%=1")).toThrow();
});

test("a form of nothing but repeats takes no more time than its length", () => {
  const begun = performance.now();
  expect(Array.isArray(parseForm("a=1&".repeat(16_000)).a)).toBe(true);
  expectWithin("the reading of a form", 1_000, begun);
});

test("only the named fields are taken, and null is not given", () => {
  const body = JSON.parse('{"a":1,"b":null,"__proto__":{"c":3},"d":4}');
  expect(gather(["a", "b", "c"], parseForm("x=1"), body, false)).toEqual({ a: 1 });
  expect(gather(["a"], parseForm("a=1"), body, false)).toEqual({ a: 1 });
  expect(gather(["b"], parseForm("b=2"), body, false)).toEqual({ b: "2" });
  expect(() => gather(["a"], parseForm("a=2"), body, false)).toThrow();
  expect(() => gather(["a"], parseForm("a=1&a=1"), {}, false)).toThrow();
  expect(() => gather(["a"], parseForm(""), parseForm("a=1&a=1"), true)).toThrow();
  expect(() => gather(["a"], parseForm("a=1"), { a: ["1"] }, false)).toThrow();
});

test("the address is the socket's, and the one that a trusted proxy names", () => {
  const forwarded = request({ "x-forwarded-for": "203.0.113.9, 198.51.100.7" });
  expect(clientOf(forwarded, noProxies).address).toBe("192.0.2.1");
  expect(clientOf(forwarded, readTrustedProxies("1")).address).toBe("198.51.100.7");
  expect(clientOf(request({}), readTrustedProxies("1")).address).toBe("192.0.2.1");
});

test("TLS and host are the socket's, or those that a trusted proxy names, and nobody else's", () => {
  const forwarded = request({
    "x-forwarded-proto": "https",
    "x-forwarded-host": "live.example",
    host: "10.0.0.1:8088",
    origin: "https://live.example",
  });
  const trusting = (setting: string) => {
    const proxies = readTrustedProxies(setting);
    return [isTls(forwarded, proxies), !isCrossOrigin(forwarded, proxies)];
  };
  for (const setting of ["1", "192.0.2.0/24"]) expect(trusting(setting)).toEqual([true, true]);
  for (const setting of ["false", "0", "192.0.3.0/24"]) expect(trusting(setting)).toEqual([false, false]);
});

test("a page of another origin is known by its Origin header", () => {
  const cross = (origin: string | undefined, host = "live.example:8088") =>
    isCrossOrigin(request({ host, ...(origin !== undefined && { origin }) }), noProxies);
  expect(cross(undefined)).toBe(false);
  expect(cross("http://live.example:8088")).toBe(false);
  expect(cross("http://live.example:8088", "LIVE.example:8088")).toBe(false);
  expect(cross("http://live.example")).toBe(true);
  expect(cross("http://live.example:8088.evil.example")).toBe(true);
  expect(cross("null")).toBe(true);
});

test("tokens are taken from where they belong, whole", () => {
  expect(bearerToken({ authorization: "bearer  abc.def_-=" })).toBe("abc.def_-=");
  expect(bearerToken({ authorization: "Basic abc" })).toBeUndefined();
  expect(bearerToken({ authorization: "Bearer a b" })).toBeUndefined();
  expect(bearerToken({ authorization: `Bearer ${"x".repeat(limits.jwt.tokenChars + 1)}` })).toBeUndefined();
  expect(cookieToken({ cookie: "a=1; qytk=tok=en ; b=2" }, "qytk")).toBe("tok=en");
  expect(cookieToken({ cookie: "xqytk=1; qytkx=2" }, "qytk")).toBeUndefined();
  expect(cookieToken({}, "qytk")).toBeUndefined();
});

test("English is asked for by name, and everything else is answered in Chinese", () => {
  expect(
    ["en", "en-GB,zh", " EN;q=1", "english", "zh,en", "", "eno"].map((given) =>
      languageOf({ "accept-language": given }),
    ),
  ).toEqual(["en", "en", "en", "zh", "zh", "zh", "zh"]);
});

test("a request id that is not safe to log is replaced", () => {
  expect(requestIdOf({ "x-request-id": "abcdefgh" })).toBe("abcdefgh");
  for (const bad of ["", "abc", "a\nb23456789", "x".repeat(65)])
    expect(requestIdOf({ "x-request-id": bad })).toMatch(/^[0-9a-f-]{36}$/);
});
