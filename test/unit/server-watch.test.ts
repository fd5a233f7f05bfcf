import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { containerHost } from "../../scripts/stack/container-host.ts";
import { replaceFile } from "../../scripts/stack/files.ts";
import { nats } from "../../scripts/stack/nats.ts";
import { ServerWatch } from "../../scripts/stack/server-watch.ts";
import { eventually } from "../support/eventually.ts";

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "ovation-watch-"));
  // Stands for the command `docker`, whose engine is away while its answer is "away".
  writeFileSync(join(dir, "docker"), `#!/bin/sh\nread said < ${dir}/answer\n[ "$said" != away ] && echo "$said"\n`);
  chmodSync(join(dir, "docker"), 0o700);
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const answer = (text: string) => replaceFile(join(dir, "answer"), `${text}\n`);

test("an engine that does not answer ends neither the process nor the watch, and is reported once each time", async () => {
  answer("away");
  const told: string[] = [];
  let looks = 0;
  const site = { dir, stackDir: dir, mark: "ovation-sample", env: { PATH: `${dir}:/bin` }, log: () => undefined };
  const host = containerHost(nats, site);
  const counted = { ...host, find: () => host.find().finally(() => looks++) };
  const lookedAgain = async () => {
    const until = looks + 3;
    await eventually("it is checked again", () => looks >= until);
  };
  let isUser = () => {
    throw new Error("the users cannot be read");
  };
  const watch = new ServerWatch({
    servers: [{ plan: nats, site, host: counted, port: 1, pid: undefined, started: true }],
    tell: (line) => told.push(line),
    checkEveryMs: 5,
    isUser: () => isUser(),
    locked: (task) => task(),
  });
  const blind = /^whether NATS runs cannot be seen; it counts as running, and is checked again: /;

  await lookedAgain();
  expect(told).toEqual([expect.stringMatching(blind)]);
  answer("running");
  await lookedAgain();
  answer("away");
  await lookedAgain();
  expect(told).toEqual([expect.stringMatching(blind), expect.stringMatching(/docker ps ended with 1/)]);
  answer("running");
  await lookedAgain();
  answer("exited");
  await eventually("it looks whether it is a user", () => told.length === 3);
  expect(told[2]).toMatch(/the users cannot be read/);
  isUser = () => false as never;
  await watch.overForAll();
  expect(told).toHaveLength(3);
  await watch.stop();
});

test("an error in the watch itself is reported and ends that watch alone", async () => {
  const told: string[] = [];
  const site = { dir, stackDir: dir, mark: "ovation-sample", env: {}, log: () => undefined };
  const host = { ...containerHost(nats, site), find: async () => undefined };
  const watch = new ServerWatch({
    servers: [{ plan: nats, site, host, port: 1, pid: undefined, started: true }],
    tell: (line) => {
      told.push(line);
      if (told.length === 1) throw new Error("nobody can be told");
    },
    checkEveryMs: 5,
    isUser: () => true,
    locked: (task) => task(),
  });
  await watch.overForAll();
  expect(told[1]).toBe("NATS is not supervised any more, it runs on by itself: nobody can be told");
});
