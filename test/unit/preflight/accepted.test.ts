import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readConfig } from "../../../config/config.ts";
import { projectRoot } from "../../../config/root.ts";
import { preflightSettings, refusing } from "../../../mixins/preflight/accepted.ts";
import { checks, type Finding, promises } from "../../../mixins/preflight/checks.ts";
import { refusalText } from "../../../mixins/preflight/shown.ts";

const servers = { NATS_URL: "nats://127.0.0.1:4222", SMS_WEBHOOK_URL: "https://sms.example/send" };
const problemOf = (PREFLIGHT_ACCEPT: string) => {
  try {
    readConfig({ ...servers, PREFLIGHT_ACCEPT }, [preflightSettings]);
    return "none";
  } catch (error) {
    return (error as Error).message;
  }
};

const finding = (check: Finding["check"], severity: Finding["severity"]): Finding => ({
  ...{ check, severity, server: "db:3306", found: "0", wanted: "1", risk: "loss", repair: "set it to 1" },
});

test("PREFLIGHT_ACCEPT takes names of checks alone, and says which there are", () => {
  for (const given of ["", "nats.replicas", "nats.replicas, mysql.flush", Object.keys(checks).join(",")])
    expect(problemOf(given)).toBe("none");
  for (const given of ["all", "nats.replicas,", "nats", "mysql.flush=0", "toString"]) {
    expect(problemOf(given)).toContain("PREFLIGHT_ACCEPT: has no check of this name");
    expect(problemOf(given)).toContain("nats.replicas, nats.storage");
  }
});

test("money stops a start, unless its check is accepted; nothing else does", () => {
  const found = [finding("mysql.flush", "money"), finding("nats.sync", "note"), finding("redis.policy", "speed")];
  expect(refusing(found, new Set())).toEqual([found[0]]);
  expect(refusing(found, new Set(["nats.replicas"]))).toEqual([found[0]]);
  expect(refusing(found, new Set(["mysql.flush"]))).toEqual([]);
});

test("the refusal names check, promise and repair, and the setting that accepts it beside what is accepted", () => {
  const text = refusalText([finding("mysql.flush", "money")], new Set(["nats.replicas"]));
  expect(text).toMatch(/^mysql\.flush \(money\) at db:3306$/m);
  expect(text).toContain(`promise  1 (${promises[1]})`);
  expect(text).toContain("repair   set it to 1");
  expect(text).toContain("PREFLIGHT_ACCEPT=nats.replicas,mysql.flush");
});

describe("the documents", () => {
  const read = (file: string) => readFileSync(join(projectRoot(), file), "utf8");

  test("docs/operating.md has a row for each check, with the promises that it is about", () => {
    const [, section = ""] = /\n## Preflight\n([\s\S]*?)\n## /.exec(read("docs/operating.md")) ?? [];
    const rows = [...section.matchAll(/^\| `([a-z_.]+)` .*\| ([\d, ]+?) +\|$/gm)].map(([, id, numbers]) => [
      id,
      numbers,
    ]);
    expect(rows).toEqual(Object.entries(checks).map(([id, check]) => [id, check.promises.join(", ")]));
  });

  test("docs/promises.md has each promise by its number", () => {
    const titles = [...read("docs/promises.md").matchAll(/^## (\d+)\. (.+)$/gm)].map(([, number, title]) => [
      number,
      title,
    ]);
    expect(titles.map(([number]) => number)).toEqual(Object.keys(promises));
    const capital = (text: string) => (text[0] as string).toUpperCase() + text.slice(1);
    expect(titles.map(([, title]) => title)).toEqual(Object.values(promises).map(capital));
  });
});
