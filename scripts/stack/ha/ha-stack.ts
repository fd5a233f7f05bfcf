import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type Found, readRecord, recordFile, writeRecord } from "../host.ts";
import { mysqlUrl } from "../mysql.ts";
import { removeSocketFolder } from "../mysql-socket.ts";
import { adminLogin, userOf } from "../nats-accounts.ts";
import type { NatsServer } from "../nats-reload.ts";
import { natsUrl, passwordOf, standingUrls } from "../nats-users.ts";
import { isPortFree } from "../ports.ts";
import type { ProcessHost } from "../process-host.ts";
import { isPaused, killAllNaming } from "../processes.ts";
import { restoreUsers } from "../redis-logins.ts";
import type { ServerName } from "../server.ts";
import { becomesTrue, messageOf } from "../wait.ts";
import { type GaleraServer, galeraNode } from "./galera-node.ts";
import { mysqlDirOf } from "./mysql-access.ts";
import { natsDirOf, natsNode, reloadNats } from "./nats-node.ts";
import { type HaPorts, keptPorts, members } from "./ports.ts";
import { type GaleraPrograms, provideHaPrograms } from "./programs.ts";
import { proxyServer } from "./proxy.ts";
import { redisDirOf, redisNode, sentinelNode, sentinelUrl } from "./redis-nodes.ts";
import { type HaKind, type HaPlace, type HaServer, haHost } from "./server.ts";

/** A server that has just been killed keeps its port for a short time. */
const portReleaseMs = 5000;
const pauseMs = 5000;
const joinedWithinMs = 120_000;
const pollMs = 100;

export interface HaStatus {
  readonly name: string;
  readonly kind: HaKind;
  readonly port: number;
  readonly pid: number | undefined;
  readonly state: "answers" | "silent" | "paused" | "stopped";
  /** Its part among the others, e.g. `Primary, Synced`; empty where it does not answer. */
  readonly part: string;
}

/**
 * Three servers of each kind in a stack's folder, a process each: NATS as a cluster, MariaDB as a Galera cluster behind
 * haproxy, Redis with sentinels. Any single one can be lost; nothing here restarts one by itself.
 */
export class HaStack {
  readonly servers: readonly HaServer[];
  readonly galera: readonly GaleraServer[];
  readonly place: HaPlace;
  readonly ports: HaPorts;
  private found: Promise<GaleraPrograms> | undefined;

  constructor(place: HaPlace, ports: HaPorts) {
    this.place = place;
    this.ports = ports;
    const programs = () => this.programs();
    this.galera = members.map((n) => galeraNode(place, ports, n, programs));
    this.servers = [
      ...members.map((n) => natsNode(place, ports, n)),
      ...this.galera,
      proxyServer(place, ports),
      ...members.map((n) => redisNode(place, ports, n)),
      ...members.map((n) => sentinelNode(place, ports, n)),
    ];
  }

  /** The servers of this folder, which may not run; `undefined` where none were ever started there. */
  static of(stackDir: string, log: (line: string) => void = () => undefined): HaStack | undefined {
    const ports = keptPorts(stackDir);
    return ports === undefined ? undefined : new HaStack({ stackDir, env: process.env, log }, ports);
  }

  /** The programs of all servers. @throws ProgramsMissing */
  programs(): Promise<GaleraPrograms> {
    this.found ??= provideHaPrograms(this.place.stackDir, this.place.env, this.place.log);
    return this.found;
  }

  /** @throws Error that names the servers there are */
  server(name: string): HaServer {
    const found = this.servers.find((server) => server.name === name);
    if (found) return found;
    throw new Error(`no such server: ${name}; there are ${this.servers.map((server) => server.name).join(", ")}`);
  }

  ofKind(kind: HaKind): HaServer[] {
    return this.servers.filter((server) => server.kind === kind);
  }

  /** The running ones, paused ones too. */
  async running(kind?: HaKind): Promise<HaServer[]> {
    const asked = kind === undefined ? this.servers : this.ofKind(kind);
    const found = await Promise.all(asked.map((server) => haHost(server).find()));
    return asked.filter((_server, i) => found[i] !== undefined);
  }

  /** Ends a server without a warning; resolves when it has ended. Nothing where it does not run. */
  async kill(name: string): Promise<void> {
    const { kind, site } = this.server(name);
    await this.host(name).kill();
    if (kind === "mysql") await killAllNaming(`${site.dir}/`);
  }

  /** Stops a server in what it is doing, its connections stay open; resolves when it has stopped. */
  async pause(name: string): Promise<void> {
    const host = this.host(name);
    const pid = (await host.find())?.pid;
    if (pid === undefined) throw new Error(`${name} does not run`);
    await host.signal("SIGSTOP");
    if (!(await becomesTrue(() => isPaused(pid), pauseMs))) throw new Error(`${name} does not stop`);
  }

  /** Lets a paused server go on. Others may have decided without it meanwhile: see waitUntilJoined. */
  async resume(name: string): Promise<void> {
    const { kind, port } = this.server(name);
    await this.host(name).signal("SIGCONT");
    if (kind === "redis") await restoreUsers(redisDirOf(this.place.stackDir), port);
  }

  /** Kills a server and removes what is on its disk. Its logs stay. */
  async wipe(name: string): Promise<void> {
    const { site } = this.server(name);
    await this.kill(name);
    const kept = [recordFile(site), join(site.dir, "server.log"), join(site.dir, "server.log.1")];
    // Scripts that copy a node's data may still be writing while they end.
    for (const entry of readdirSync(site.dir).map((file) => join(site.dir, file)))
      if (!kept.includes(entry)) rmSync(entry, { recursive: true, force: true, maxRetries: 10 });
  }

  /**
   * Starts a server that does not run, at its port; resolves when it answers, a node of MariaDB when it is synced.
   * @throws Error where it does not come up; for the first node of MariaDB, since `start` of all chooses that one
   */
  async start(name: string): Promise<Found> {
    const server = this.server(name);
    const found = await haHost(server).find();
    if (found) return found;
    if (server.kind === "mysql" && (await this.running("mysql")).length === 0)
      throw new Error("no node of MySQL runs to which it could join: npm run stack -- start --ha");
    return this.launch(server);
  }

  /** Starts a server that does not run, whatever the others do. */
  async launch(server: HaServer): Promise<Found> {
    const { plan, site, port } = server;
    await this.programs();
    if (!(await becomesTrue(() => isPortFree(port), portReleaseMs)))
      throw new Error(`${plan.title}: port ${port}, where the others look for it, is taken by another program`);
    site.log(`${plan.title}: starting on port ${port}`);
    writeRecord(site, { port, kind: "process" });
    const began = performance.now();
    const found = await haHost(server).launch(port);
    site.log(`${plan.title}: ready on port ${port} after ${((performance.now() - began) / 1000).toFixed(1)} s`);
    return found;
  }

  /** Resolves when the server does its part in full again. @throws Error with the reason after `deadlineMs` */
  async waitUntilJoined(name: string, deadlineMs = joinedWithinMs): Promise<void> {
    const { plan } = this.server(name);
    let complaint: unknown = "never asked";
    const joined = () =>
      plan.requireJoined().then(
        () => true,
        (error: unknown) => {
          complaint = error;
          return false;
        },
      );
    if (await becomesTrue(joined, deadlineMs, pollMs)) return;
    throw new Error(`${name} did not join within ${deadlineMs / 1000} s: ${messageOf(complaint)}`);
  }

  /** Ends a server in order; resolves when it has ended. */
  async end(name: string): Promise<void> {
    const { site, kind, plan } = this.server(name);
    const host = this.host(name);
    if ((await host.find()) !== undefined) site.log(`${plan.title}: stopping`);
    await host.signal("SIGCONT");
    await host.end();
    if (kind !== "mysql") return;
    // The scripts that copy a node's data outlive it for a while.
    await killAllNaming(`${site.dir}/`);
    removeSocketFolder(site);
  }

  /** The state of each server. Changes nothing. */
  status(): Promise<HaStatus[]> {
    return Promise.all(
      this.servers.map(async (server): Promise<HaStatus> => {
        const { name, kind, port, plan, site } = server;
        const pid = (await haHost(server).find())?.pid;
        const about = { name, kind, port: readRecord(site)?.port ?? port, pid, part: "" };
        if (pid === undefined) return { ...about, state: "stopped" };
        if (isPaused(pid)) return { ...about, state: "paused" };
        return plan.part().then(
          (part) => ({ ...about, state: "answers", part }),
          () => ({ ...about, state: "silent" }),
        );
      }),
    );
  }

  /** The administrators' URLs. */
  urls(): Record<ServerName, string> {
    const { stackDir } = this.place;
    const password = passwordOf(natsDirOf(stackDir), adminLogin);
    return {
      nats: natsUrl(this.natsPorts(), userOf(adminLogin), password),
      redis: sentinelUrl(stackDir, this.ports),
      mysql: mysqlUrl(mysqlDirOf(stackDir), this.ports.proxy),
    };
  }

  /** What the stack's env file says of the servers. */
  env(): Record<string, string> {
    const { redis, mysql } = this.urls();
    return {
      ...standingUrls(natsDirOf(this.place.stackDir), this.natsPorts()),
      REDIS_URL: redis,
      MYSQL_URL: mysql,
      MYSQL_ADMIN_URL: mysql,
      JETSTREAM_REPLICAS: String(members.length),
    };
  }

  /** The cluster of NATS, for logins; `undefined` where none of its servers runs. */
  async natsServers(): Promise<NatsServer | undefined> {
    const found = await Promise.all(
      members.map(async (n) => {
        const server = this.server(`nats-${n}`);
        const [host, port] = [haHost(server), server.port];
        const pid = (await host.find())?.pid;
        const reload = () => reloadNats(this.ports, n, host);
        return pid === undefined || isPaused(pid) ? [] : [{ reload, port }];
      }),
    );
    const running = found.flat();
    if (running.length === 0) return undefined;
    return {
      natsDir: natsDirOf(this.place.stackDir),
      ports: this.natsPorts(),
      running: running.map(({ port }) => port),
      host: { reload: async () => void (await Promise.all(running.map(({ reload }) => reload()))) },
    };
  }

  private natsPorts(): number[] {
    return this.ofKind("nats").map(({ port }) => port);
  }

  private host(name: string): ProcessHost {
    return haHost(this.server(name));
  }
}
