import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readConfig, settingNames } from "../../../config/config.ts";

const servers = {
  NATS_URL: "nats://127.0.0.1:4222",
  REDIS_URL: "redis://127.0.0.1:6379",
  MYSQL_URL: "mysql://u:p@127.0.0.1:3306",
};
const usable = { ...servers, SMS_PROVIDER: "webhook", SMS_WEBHOOK_URL: "https://sms.example/send" };

describe("settings", () => {
  test("a usable environment becomes a frozen object with defaults", () => {
    const settings = readConfig(usable);
    expect(settings).toMatchObject({ PROFILE: "production", API_PORT: 8088, IM_PORT: 8086, ANCHOR_SHARE_PERCENT: 50 });
    expect(Object.isFrozen(settings)).toBe(true);
  });

  test("every problem is reported at once, by the variable's name", () => {
    expect(() => readConfig({ API_PORT: "99999", ANCHOR_SHARE_PERCENT: "101" })).toThrow(
      /NATS_URL[\s\S]*REDIS_URL[\s\S]*MYSQL_URL[\s\S]*API_PORT[\s\S]*ANCHOR_SHARE_PERCENT/,
    );
  });

  test("a value is never printed, since it may be a secret", () => {
    try {
      readConfig({ ...usable, OPERATOR_TOKEN: "hunter2", CASHIER_SECRET: "s3cret" });
      throw new Error("accepted");
    } catch (error) {
      expect((error as Error).message).toContain("OPERATOR_TOKEN");
      expect((error as Error).message).not.toMatch(/hunter2|s3cret/);
    }
  });

  test.each([
    ["the console SMS provider", { SMS_PROVIDER: "console" }, /SMS_PROVIDER/],
    ["the sandbox cashier", { CASHIER_SECRET: "x".repeat(32) }, /CASHIER_SECRET/],
  ])("production refuses %s", (_what, extra, message) => {
    expect(() => readConfig({ ...usable, ...extra })).toThrow(message);
  });

  test(".env.example documents every setting, and nothing else", () => {
    const text = readFileSync(join(__dirname, "../../../.env.example"), "utf8");
    const documented = text.split("\n").flatMap((line) => /^([A-Z0-9_]+)=/.exec(line)?.[1] ?? []);
    expect(documented.sort()).toEqual([...settingNames].sort());
  });

  test("allowed origins are a list of origins, and nothing else passes", () => {
    const origins = (text: string) => readConfig({ ...usable, IM_ALLOWED_ORIGINS: text }).IM_ALLOWED_ORIGINS;
    expect(origins("https://a.example, http://b.example:8080")).toEqual(["https://a.example", "http://b.example:8080"]);
    expect(origins("")).toBeUndefined();
    for (const wrong of ["*", "a.example", "https://a.example/", "https://a.example,"])
      expect(() => origins(wrong)).toThrow(/IM_ALLOWED_ORIGINS/);
  });

  test("an empty variable counts as unset", () => {
    expect(readConfig({ ...usable, OPERATOR_TOKEN: "" }).OPERATOR_TOKEN).toBeUndefined();
  });
});
