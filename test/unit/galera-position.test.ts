import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { leftLast, positionOf, prepareBootstrap } from "../../scripts/stack/ha/galera-position.ts";

const history = "3a1f6c1e-8b8e-11f1-9d7a-5b0f3c9d2e41";
const none = "00000000-0000-0000-0000-000000000000";

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "galera-"));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const site = () => ({ dir, stackDir: dir, mark: "ovation-test", env: process.env, log: () => undefined });

function wrote({ uuid = history, seqno = -1, safe = 0 }): void {
  const text = `# GALERA saved state\nversion: 2.1\nuuid:    ${uuid}\nseqno:   ${seqno}\nsafe_to_bootstrap: ${safe}\n`;
  writeFileSync(join(dir, "grastate.dat"), text);
}

/** A program that says, as mariadbd does, which position it found; and leaves a mark that it ran. */
function program(says: string): string {
  const file = join(dir, "mariadbd");
  const script = `#!/bin/sh\nfor word; do case "$word" in --log-error=*) log="\${word#--log-error=}" ;; esac; done
touch ${dir}/ran\necho "2026-11-27  3:00:00 0 [Note] ${says}" > "$log"\n`;
  writeFileSync(file, script);
  chmodSync(file, 0o700);
  return file;
}

const position = (says = "nothing") => positionOf(site(), program(says), { file: join(dir, "my.cnf"), dataDir: dir });
const ran = () => {
  try {
    readFileSync(join(dir, "ran"));
    return true;
  } catch {
    return false;
  }
};

test("a node that ended in order has the position that it wrote", async () => {
  wrote({ seqno: 4711 });
  expect(await position()).toEqual({ history, write: 4711 });
  expect(ran()).toBe(false);
});

test("a node that was killed has the position of its tables", async () => {
  wrote({});
  expect(await position(`WSREP: Recovered position: ${history}:815`)).toEqual({ history, write: 815 });
});

test("a node whose tables say nothing has none, and gets a copy", async () => {
  wrote({});
  expect(await position(`WSREP: Recovered position: ${none}:-1`)).toBeUndefined();
  expect(await position("InnoDB: Unsupported redo log format")).toBeUndefined();
});

test("a node that was killed while it got its copy has none; its tables are not opened", async () => {
  wrote({ uuid: none });
  expect(await position(`WSREP: Recovered position: ${history}:9`)).toBeUndefined();
  rmSync(join(dir, "grastate.dat"));
  expect(await position()).toBeUndefined();
  expect(ran()).toBe(false);
});

test("the node that left last may begin again; another only after it was allowed to", () => {
  wrote({ safe: 1, seqno: 3 });
  expect(leftLast(dir)).toBe(true);
  wrote({ safe: 0, seqno: 3 });
  expect(leftLast(dir)).toBe(false);
  prepareBootstrap(dir);
  expect(leftLast(dir)).toBe(true);
  rmSync(join(dir, "grastate.dat"));
  prepareBootstrap(dir);
  expect(leftLast(dir)).toBe(false);
});
