const { mkdtempSync, rmSync } = require("node:fs");
const { tmpdir } = require("node:os");
const { dirname, join } = require("node:path");
const { TestEnvironment } = require("jest-environment-node");
const { readStackEnv } = require("../../scripts/stack/env-file.ts");
const { startStack } = require("../../scripts/stack/stack.ts");

/**
 * For a test file that changes the logins of a NATS server: it has a server of its own, since JetStream answers nobody
 * for a moment while nats-server reads its configuration. Redis and MySQL are those of the test stack.
 */
module.exports = class OwnNatsEnvironment extends TestEnvironment {
  async setup() {
    await super.setup();
    const { env } = this.global.process;
    const kept = readStackEnv(dirname(env.TEST_STACK_ENV));
    this.dir = mkdtempSync(join(tmpdir(), "ovation-nats-"));
    const options = {
      dir: this.dir,
      env: { PATH: env.PATH, REDIS_URL: kept.REDIS_URL, MYSQL_URL: kept.MYSQL_URL },
      preferredPorts: { nats: 16_222 },
      log() {},
    };
    this.stack = await startStack(options);
    const url = readStackEnv(this.dir).NATS_ADMIN_URL;
    // The setup file (env.ts) has run with the test stack's.
    env.TEST_STACK_ENV = join(this.dir, "env");
    for (const name of ["NATS_URL", "NATS_ADMIN_URL", "PROVISIONER_NATS_URL"]) env[name] = url;
  }

  async teardown() {
    await this.stack?.stop();
    if (this.dir) rmSync(this.dir, { recursive: true, force: true });
    await super.teardown();
  }
};
