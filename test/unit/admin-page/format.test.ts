/** How the staff page writes numbers, times and addresses. */

interface Format {
  number(value: unknown): string;
  signed(value: unknown): string;
  coins(value: unknown): string;
  points(value: unknown): string;
  yuan(fen: unknown): string;
  time(value: unknown, timeZone?: string): string;
  fullTime(value: unknown, timeZone?: string): string;
  duration(ms: number): string;
}
interface Address {
  hrefOf(path: string, params?: Record<string, unknown>): string;
  paramsOf(path: string, hash: string): Record<string, string> | undefined;
}
interface Language {
  currentLanguage(): string;
  toggleLanguage(): void;
}

const format = require("../../../admin-page/js/format.js") as Format;
const { hrefOf, paramsOf } = require("../../../admin-page/js/address.js") as Address;
const { currentLanguage } = require("../../../public/js/language.js") as Language;

describe("numbers", () => {
  test("a page without a choice is in Chinese", () => expect(currentLanguage()).toBe("zh"));

  test.each([
    [0, "0"],
    [1_234_567, "1,234,567"],
    ["9007199254740991", "9,007,199,254,740,991"],
    [undefined, "–"],
    [null, "–"],
    ["no number", "no number"],
  ])("%p is written as %s", (value, text) => expect(format.number(value)).toBe(text));

  test.each([
    [5, "+5"],
    [-1_000, "−1,000"],
    [0, "0"],
  ])("%p has its sign: %s", (value, text) => expect(format.signed(value)).toBe(text));

  test.each([
    [150, "150 点（1.5 币）"],
    [-100, "-100 点（-1 币）"],
    [null, "–"],
  ])("%p points are shown with their coins: %s", (value, text) => expect(format.points(value)).toBe(text));

  test("money is fen", () => expect(format.yuan(123_456)).toBe("¥1,234.56"));
});

describe("times", () => {
  const moment = "2026-03-04T23:05:06.789Z";

  test("have the year and are in the person's zone", () => {
    expect(format.time(moment, "UTC")).toBe("2026-03-04 23:05:06");
    expect(format.time(moment, "Asia/Shanghai")).toBe("2026-03-05 07:05:06");
  });

  test("midnight is hour 0", () => expect(format.time("2026-03-04T00:00:00Z", "UTC")).toBe("2026-03-04 00:00:00"));

  test("in full they have the milliseconds in UTC", () => expect(format.fullTime(moment)).toContain(moment));

  test.each([
    [undefined, "–"],
    ["no time", "no time"],
  ])("%p is shown as %s", (value, text) => expect(format.time(value)).toBe(text));

  test.each([
    [0, "0 ms"],
    [999, "999 ms"],
    [1_250, "1.3 s"],
    [60_000, "1 min"],
    [245_000, "4 min 5 s"],
    [11_400_000, "3 h 10 min"],
    [187_200_000, "2 d 4 h"],
    [-40, "−40 ms"],
  ])("%p ms last %s", (ms, text) => expect(format.duration(ms)).toBe(text));
});

describe("addresses of views", () => {
  test("a name goes to its place, the rest after the question mark, what is empty nowhere", () => {
    expect(hrefOf("user/:userId", { userId: "7", tab: "rooms", list: undefined })).toBe("#/user/7?tab=rooms");
  });

  test.each(["a/b", "%", "?x=1", "中文 & more", "<img src=x>", ".."])("%p comes back as it was", (value) => {
    expect(paramsOf("order/:orderId", hrefOf("order/:orderId", { orderId: value }))).toEqual({ orderId: value });
    expect(paramsOf("search", hrefOf("search", { q: value }))).toEqual({ q: value });
  });

  test.each(["", "#", "#/", "#/user", "#/user/7/8", "#/users/7", "#/user/%E0%A4%A"])("%p is no user's page", (hash) => {
    expect(paramsOf("user/:userId", hash)).toBeUndefined();
  });
});
