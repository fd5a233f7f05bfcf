import { problemOfUrl } from "../../../mixins/outgoing/outgoing-url.ts";
import { isPublicAddress } from "../../../mixins/outgoing/public-address.ts";

test.each([
  ["loopback", ["127.0.0.1", "127.255.0.9", "::1"]],
  ["unspecified", ["0.0.0.0", "0.1.2.3", "::"]],
  ["private", ["10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1", "fc00::1", "fdff::1", "fec0::1"]],
  ["link-local, with the metadata of clouds", ["169.254.0.1", "169.254.169.254", "fe80::1", "fe80::1%eth0"]],
  ["metadata of clouds at other addresses", ["100.100.100.200", "168.63.129.16", "fd00:ec2::254", "192.0.0.192"]],
  ["carrier-grade NAT", ["100.64.0.1", "100.127.255.255"]],
  ["multicast and broadcast", ["224.0.0.1", "239.255.255.250", "255.255.255.255", "ff02::1"]],
  [
    "reserved and documentation",
    ["240.0.0.1", "192.0.2.1", "198.18.0.1", "203.0.113.9", "2001:db8::1", "100::1", "4000::1"],
  ],
  ["private ones mapped into IPv6", ["::ffff:127.0.0.1", "::ffff:7f00:1", "::ffff:10.0.0.1", "::ffff:0:127.0.0.1"]],
  ["private ones behind NAT64", ["64:ff9b::7f00:1", "64:ff9b::169.254.169.254", "64:ff9b:1::808:808"]],
  ["IPv4 addresses in 6to4, Teredo and compatible form", ["2002:7f00:1::1", "2001:0:7f00:1::1", "::127.0.0.1"]],
  ["no addresses", ["", "localhost", "127.1", "0x7f.0.0.1", "0177.0.0.1", "1.2.3.4.5", " 8.8.8.8"]],
])("is not public: %s", (_kind, addresses) => {
  expect(addresses.filter(isPublicAddress)).toEqual([]);
});

test("is public: what the Internet routes, also mapped into IPv6 and behind NAT64", () => {
  const addresses = ["8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8"];
  expect(addresses.filter((address) => !isPublicAddress(address))).toEqual([]);
});

test.each([
  "https://127.0.0.1/hook",
  "https://127.1/",
  "https://0x7f.1/",
  "https://0177.0.0.1/",
  "https://2130706433/",
  "https://017700000001/",
  "https://127.0.0.1:8443/",
  "https://[::1]/",
  "https://[::ffff:127.0.0.1]/",
  "https://[64:ff9b::7f00:1]/",
  "https://[fe80::1]/",
  "https://169.254.169.254/latest/meta-data",
  "https://localhost/",
  "https://LOCALHOST./",
  "https://api.localhost/",
  "https://printer.local/",
  "https://metadata.google.internal/",
  "https://mysql/",
  "https://redis.:6379/",
  "https://kubernetes.default.svc/",
  "https://kubernetes.default.svc.cluster.local/",
  "https://nas.lan/",
  "https://wiki.CORP/",
  "https://router.home/",
  "https://１２７.0.0.1/",
  "https://①②⑦.0.0.1/",
])("a URL that leads to a private address is refused in every spelling: %s", (url) => {
  expect(problemOfUrl(url, "public")).toBe("leads to a private address");
  expect(problemOfUrl(url, "any")).toBeUndefined();
});

test.each([
  ["https://user:pass@example.com/", "must not contain a user name or password"],
  ["https://user@example.com/", "must not contain a user name or password"],
  ["ftp://example.com/", "must start with https://"],
  ["file:///etc/passwd", "must start with https://"],
  ["javascript:alert(1)", "must start with https://"],
  ["https://", "is no URL"],
  ["example.com/hook", "is no URL"],
  ["https://example.com:0/", "has no usable port"],
  ["https://example.com:65536/", "is no URL"],
  [`https://example.com/${"a".repeat(2_048)}`, "is no URL"],
])("a URL that no webhook may have is refused with the reason: %s", (url, problem) => {
  expect(problemOfUrl(url, "public")).toBe(problem);
  expect(problemOfUrl(url, "any")).toBe(problem);
});

test("a public receiver is https; where private ones are allowed, http is too", () => {
  expect(problemOfUrl("https://example.com:8443/hook?a=1", "public")).toBeUndefined();
  expect(problemOfUrl("http://example.com/hook", "public")).toBe("must start with https://");
  expect(problemOfUrl("http://127.0.0.1:9000/hook", "any")).toBeUndefined();
});
