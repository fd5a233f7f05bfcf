import { shareCommand } from "../../scripts/share-command.ts";

const anchor = "18446744073709551615";

describe("the command line of npm run anchor-share", () => {
  test("a share from now on, from a day of Beijing's, from a time with its zone", () => {
    const change = { what: "write", anchorId: anchor, percent: 60 };
    expect(shareCommand(["set", anchor, "60"], undefined)).toEqual({ ...change, from: undefined });
    const from = (text: string) => (shareCommand(["set", anchor, "60"], text) as { from: Date }).from.toISOString();
    expect(from("2099-03-01")).toBe("2099-02-28T16:00:00.000Z");
    expect(from("2096-02-29T10:00+02:00")).toBe("2096-02-29T08:00:00.000Z");
    expect(from("2099-03-01T10:00:00.5Z")).toBe("2099-03-01T10:00:00.500Z");
  });

  test.each(["0", "1", "99", "100"])("a share of %s %", (percent) => {
    expect(shareCommand(["set", anchor, percent], undefined)).toMatchObject({ percent: Number(percent) });
  });

  test("the default again, and the lists", () => {
    expect(shareCommand(["remove", "7"], undefined)).toMatchObject({ what: "write", anchorId: "7", percent: null });
    expect(shareCommand(["list"], undefined)).toEqual({ what: "list", anchorId: undefined });
    expect(shareCommand(["list", "7"], undefined)).toEqual({ what: "list", anchorId: "7" });
  });

  test.each<[string, string[], string | undefined, RegExp]>([
    ["no anchor", ["set"], undefined, /an anchor is a user id/],
    ["an anchor that is no number", ["set", "abc", "50"], undefined, /an anchor is a user id/],
    ["an anchor beyond 64 bits", ["remove", "18446744073709551616"], undefined, /an anchor is a user id/],
    ["a share above 100", ["set", "7", "101"], undefined, /whole percent from 0 to 100/],
    ["a share below 0", ["set", "7", "-1"], undefined, /whole percent from 0 to 100/],
    ["a fractional share", ["set", "7", "50.5"], undefined, /whole percent from 0 to 100/],
    ["a share with a zero before it", ["set", "7", "05"], undefined, /whole percent from 0 to 100/],
    ["no share", ["set", "7"], undefined, /whole percent from 0 to 100/],
    ["a day that does not exist", ["set", "7", "50"], "2099-02-30", /is a day or a time with its zone/],
    ["a month that does not exist", ["set", "7", "50"], "2099-13-01", /is a day or a time with its zone/],
    ["a time without a zone", ["set", "7", "50"], "2099-02-20T10:00", /is a day or a time with its zone/],
    ["an hour that does not exist", ["set", "7", "50"], "2099-02-20T25:00Z", /is a day or a time with its zone/],
    ["words for a time", ["set", "7", "50"], "tomorrow", /is a day or a time with its zone/],
    ["a list from a day on", ["list"], "2099-02-20", /list takes no --from/],
    ["an unknown word", ["drop", "7"], undefined, /not understood: drop/],
    ["an argument too many", ["remove", "7", "50"], undefined, /too many arguments/],
  ])("not %s, and says why", (_what, words, from, why) => {
    expect(() => shareCommand(words, from)).toThrow(why);
  });
});
