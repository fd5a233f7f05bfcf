import fc from "fast-check";
import { readTrustedProxies, type TrustedProxies } from "../../config/trusted-proxies.ts";
import { clientAddress } from "../../mixins/http/client-address.ts";

const proxy = "10.0.0.1";
const one = readTrustedProxies("1");
const addressOf = (header: string | string[] | undefined, proxies = one, socket: string | undefined = proxy) =>
  clientAddress(socket, header, proxies).address;
const keyOf = (address: string) => clientAddress(address, undefined, one).key;

describe("an address and its key", () => {
  test.each([
    ["203.0.113.7", "203.0.113.7", "203.0.113.7"],
    ["203.0.113.7:51000", "203.0.113.7", "203.0.113.7"],
    ["::ffff:203.0.113.7", "203.0.113.7", "203.0.113.7"],
    ["::FFFF:cb00:7107", "203.0.113.7", "203.0.113.7"],
    ["[::ffff:203.0.113.7]:80", "203.0.113.7", "203.0.113.7"],
    ["0:0:0:0:0:ffff:203.0.113.7", "203.0.113.7", "203.0.113.7"],
    ["::ffff:0:203.0.113.7", "203.0.113.7", "203.0.113.7"],
    ["64:ff9b::203.0.113.7", "203.0.113.7", "203.0.113.7"],
    ["64:ff9b:1::203.0.113.7", "64:ff9b:1::cb00:7107", "64:ff9b:1::/64"],
    ["2001:db8:ffff:1::2a", "2001:db8:ffff:1::2a", "2001:db8:ffff:1::/64"],
    ["[2001:db8:ffff:1::2a]", "2001:db8:ffff:1::2a", "2001:db8:ffff:1::/64"],
    ["[2001:db8:ffff:1::2a]:443", "2001:db8:ffff:1::2a", "2001:db8:ffff:1::/64"],
    ["2001:0DB8:ffff:0001:0:0:0:002A", "2001:db8:ffff:1::2a", "2001:db8:ffff:1::/64"],
    ["2002:cb00:7107:1::1", "2002:cb00:7107:1::1", "2002:cb00:7107::/48"],
    ["fe80::1%eth0", "fe80::1", "fe80::/64"],
    ["[fe80::1%eth0]:443", "fe80::1", "fe80::/64"],
    ["::1", "::1", "::/64"],
  ])("of %s are %s and %s", (text, address, key) => {
    expect(clientAddress(proxy, text, one)).toEqual({ address, key });
    expect(clientAddress(proxy, ` 198.51.100.1 ,\t${text} `, one)).toEqual({ address, key });
  });

  test.each([
    ...["", " ", "unknown", "_hidden", "_SEVKISEK", "unix:", "localhost", "-", "1.2.3", "1.2.3.4.5", "256.1.1.1"],
    ...[
      "010.0.0.1",
      "0x7f.1",
      "127.1",
      "1.2.3.4:",
      "1.2.3.4:port",
      "1.2.3.4:123456",
      "[1.2.3.4",
      "[]",
      "[]:1",
      "::1::",
    ],
    ...["[::1]x", "[::1]:", "[[::1]]", '"1.2.3.4"', "for=1.2.3.4", "1.2.3.4%eth0", "1.2.3.4/8", "１.2.3.4", "1::2%"],
  ])("are the proxy's where it names %j, which is no address", (text) => {
    expect(addressOf(text)).toBe(proxy);
    expect(addressOf(`203.0.113.9, ${text}`)).toBe(proxy);
  });

  test("are unknown where neither socket nor header has them", () => {
    const unknown = { address: "unknown", key: "unknown" };
    expect(clientAddress(undefined, undefined, one)).toEqual(unknown);
    expect(clientAddress(undefined, "203.0.113.9", readTrustedProxies("10.0.0.0/8"))).toEqual(unknown);
    expect(clientAddress("", "nonsense", one)).toEqual(unknown);
  });
});

describe("the way through the proxies", () => {
  const header = "192.0.2.66, 203.0.113.7, 10.0.0.3, 10.0.0.2";

  test.each([
    ["false", "10.0.0.1"],
    ["0", "10.0.0.1"],
    ["true", "10.0.0.2"],
    ["1", "10.0.0.2"],
    ["3", "203.0.113.7"],
    ["10", "192.0.2.66"],
    ["10.0.0.0/8", "203.0.113.7"],
    ["uniquelocal", "203.0.113.7"],
    ["loopback, uniquelocal", "203.0.113.7"],
    ["10.0.0.1", "10.0.0.2"],
    ["10.0.0.1,10.0.0.2/31", "203.0.113.7"],
    ["::ffff:10.0.0.0/104", "203.0.113.7"],
    ["10.0.0.2/31", "10.0.0.1"],
    ["loopback,linklocal,fc00::/7", "10.0.0.1"],
    ["10.0.0.0/8,203.0.113.0/24,192.0.0.0/16", "192.0.2.66"],
  ])("with TRUST_PROXY %s ends at %s", (setting, address) => {
    expect(addressOf(header, readTrustedProxies(setting))).toBe(address);
  });

  test("ends at the last address that is known where a trusted proxy names none", () => {
    expect(addressOf("203.0.113.7, unknown, 10.0.0.2", readTrustedProxies("3"))).toBe("10.0.0.2");
    expect(addressOf("203.0.113.7, , 10.0.0.2", readTrustedProxies("uniquelocal"))).toBe("10.0.0.2");
  });

  test("goes on from one header line to the one before it", () => {
    expect(addressOf(["203.0.113.7", "10.0.0.2"], readTrustedProxies("2"))).toBe("203.0.113.7");
    expect(addressOf(["1.1.1.1, 203.0.113.7", "10.0.0.2"], readTrustedProxies("2"))).toBe("203.0.113.7");
  });

  test("knows a proxy whose IPv4 address comes by an IPv6 socket", () => {
    expect(addressOf("203.0.113.7", readTrustedProxies("10.0.0.1"), "::ffff:10.0.0.1")).toBe("203.0.113.7");
    expect(addressOf("203.0.113.7", readTrustedProxies("linklocal"), "fe80::2%eth0")).toBe("203.0.113.7");
  });
});

const ipv4 = fc.ipV4();
const ipv6 = fc.ipV6();
/** Nothing of 10.0.0.0/8, where the proxies of these tests are. */
const client = fc.oneof(
  ipv4.filter((address) => !address.startsWith("10.")),
  fc.tuple(fc.integer({ min: 0x2003, max: 0x3fff }), ipv4).map(([head, tail]) => `${head.toString(16)}::${tail}`),
);
const garbage = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string({ unit: fc.constantFrom(..."0123456789abcf:.[]%,/ ") }),
);
const entry = fc.oneof(ipv4, ipv6, garbage);
const settings = fc.constantFrom("false", "1", "2", "10", "10.0.0.0/8", "loopback,uniquelocal").map(readTrustedProxies);

test("whatever the header contains, there is an address, short enough for its column, and a key", () => {
  const sockets = fc.option(fc.oneof(ipv4, ipv6, garbage), { nil: undefined });
  fc.assert(
    fc.property(sockets, fc.array(entry, { maxLength: 20 }), settings, fc.boolean(), (socket, list, proxies, lines) => {
      const { address, key } = clientAddress(socket, lines ? list : list.join(","), proxies);
      expect(address.length).toBeLessThanOrEqual(45);
      expect(address).toMatch(/^[0-9a-f:.]+$|^unknown$/);
      expect(key).toMatch(/^[0-9a-f:.]+$|^[0-9a-f:]+\/(64|48)$|^unknown$/);
    }),
    { numRuns: 2_000 },
  );
});

test("nothing that a client writes changes its address: the proxies add theirs behind it", () => {
  const ways: [TrustedProxies, string[]][] = [
    [readTrustedProxies("false"), []],
    [readTrustedProxies("1"), []],
    [readTrustedProxies("3"), ["10.0.0.3:81", "[::ffff:10.0.0.2]:82"]],
    [readTrustedProxies("10.0.0.0/8"), []],
    [readTrustedProxies("10.0.0.0/8"), ["10.0.0.3", "::ffff:10.0.0.2"]],
  ];
  fc.assert(
    fc.property(client, fc.array(entry), fc.constantFrom(...ways), (address, written, [proxies, behind]) => {
      const direct = !proxies.trusts(undefined, 0) && !addressOf("203.0.113.7", proxies).startsWith("203.");
      const header = (own: string[]) => [...own, ...(direct ? [] : [address]), ...behind].join(", ");
      const socket = direct ? address : proxy;
      expect(clientAddress(socket, header(written), proxies)).toEqual(clientAddress(socket, header([]), proxies));
      expect(addressOf(header(written), proxies, socket)).toBe(addressOf(address));
    }),
    { numRuns: 1_000 },
  );
});

test("equal addresses have one key however they are written, and the addresses of a /64 share it", () => {
  const part = fc.integer({ min: 0, max: 0xffff });
  const parts = fc.array(part, { minLength: 8, maxLength: 8 });
  fc.assert(
    fc.property(parts, fc.array(part, { minLength: 4, maxLength: 4 }), (address, others) => {
      const full = address.map((value) => value.toString(16).padStart(4, "0"));
      const spelt = full.join(":");
      const short = address.map((value) => value.toString(16).toUpperCase()).join(":");
      const zeros = [...full.slice(0, 4), "0000", "0000", "0000", "0001"].join(":");
      const compressed = [...full.slice(0, 4), "", "1"].join(":");
      expect(keyOf(short)).toBe(keyOf(spelt));
      expect(keyOf(compressed)).toBe(keyOf(zeros));
      for (const decorated of [`[${spelt}]`, `[${short}]:65535`, ` ${spelt} `])
        expect(clientAddress(proxy, decorated, one).key).toBe(keyOf(spelt));
      // Past the prefixes that carry IPv4 addresses, which are short.
      fc.pre(address[0] !== 0 && address[0] !== 0x64);
      const neighbour = [...full.slice(0, 4), ...others.map((value) => value.toString(16))].join(":");
      expect(keyOf(neighbour)).toBe(keyOf(spelt));
    }),
  );
  fc.assert(
    fc.property(ipv4, fc.integer({ min: 0, max: 65_535 }), (address, port) => {
      const [a = 0, b = 0, c = 0, d = 0] = address.split(".").map(Number);
      const hex = `::ffff:${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
      const spellings = [address, `${address}:${port}`, `::ffff:${address}`, hex, `[${hex}]:${port}`];
      expect(new Set(spellings.map((text) => clientAddress(proxy, text, one).key))).toEqual(new Set([address]));
    }),
  );
});
