import { type CheckId, checks, type Finding, isAtLeast } from "../../../mixins/preflight/checks.ts";
import { judgeBuckets } from "../../../mixins/preflight/judge-buckets.ts";
import { judgeClocks } from "../../../mixins/preflight/judge-clocks.ts";
import { judgeMysql } from "../../../mixins/preflight/judge-mysql.ts";
import { judgeNats, type NatsSeen } from "../../../mixins/preflight/judge-nats.ts";
import { judgeRedis } from "../../../mixins/preflight/judge-redis.ts";
import type { MysqlSeen } from "../../../mixins/preflight/mysql-seen.ts";
import { serverOf } from "../../../mixins/preflight/read-nats.ts";

/** Check and severity of each finding. */
const brief = (findings: readonly Finding[]) => findings.map(({ check, severity }) => [check, severity]);
const ofCheck = (findings: readonly Finding[], check: CheckId) => brief(findings.filter((one) => one.check === check));

describe("of NATS", () => {
  const sound: NatsSeen = {
    server: "nats:4222",
    servers: ["n1", "n2", "n3"].map((name) => ({ name, version: "2.11.4", sync: "always" as const })),
    streams: [
      { name: "GIFTS-0", replicas: 3, storage: "file" },
      { name: "PAY", replicas: 3, storage: "file" },
    ],
    wantedReplicas: 3,
  };
  const withReplicas = (replicas: number) => sound.streams.map((stream) => ({ ...stream, replicas }));

  test("three servers of which each syncs always have nothing to be found", () => {
    expect(judgeNats(sound)).toEqual([]);
  });

  test("a single copy costs money, two cost time, and the stream with the fewest decides", () => {
    expect(brief(judgeNats({ ...sound, streams: withReplicas(1) }))).toEqual([["nats.replicas", "money"]]);
    expect(brief(judgeNats({ ...sound, streams: withReplicas(2) }))).toEqual([["nats.replicas", "speed"]]);
    const [finding] = judgeNats({ ...sound, streams: [sound.streams[0]!, { ...sound.streams[1]!, replicas: 1 }] });
    expect(finding?.found).toBe("1 of PAY");
    expect(finding?.repair).toContain("JETSTREAM_REPLICAS=3");
  });

  test("before the streams are made their setting counts, and a login without streams has nothing to lose", () => {
    const empty = { ...sound, streams: [] };
    expect(judgeNats(empty)).toEqual([]);
    expect(brief(judgeNats({ ...empty, wantedReplicas: 1 }))).toEqual([["nats.replicas", "money"]]);
    const { wantedReplicas: _none, ...without } = empty;
    expect(judgeNats({ ...without, servers: [{ name: "n", version: "2.11.0" }] })).toEqual([]);
  });

  test("a provisioner with fewer copies takes them from the streams that are there; other nodes do not", () => {
    const few = { ...sound, wantedReplicas: 1 };
    expect(judgeNats(few)).toEqual([]);
    const [finding, ...others] = judgeNats({ ...few, provisions: true });
    expect([finding?.check, finding?.severity, others]).toEqual(["nats.replicas", "money", []]);
    expect(finding?.found).toBe("JETSTREAM_REPLICAS=1, to which this provisioner brings the streams");
    expect(judgeNats({ ...sound, provisions: true })).toEqual([]);
    expect(judgeNats({ ...sound, streams: withReplicas(1), provisions: true })[0]?.found).toBe("1 of GIFTS-0, PAY");
  });

  test("a stream in memory costs money", () => {
    const streams = [{ name: "GIFTS-0", replicas: 3, storage: "memory" }];
    expect(brief(judgeNats({ ...sound, streams }))).toEqual([["nats.storage", "money"]]);
  });

  test("a late sync costs money where there is one copy, and is a note where there are more", () => {
    const servers = [{ name: "n1", version: "2.11.0", sync: 120_000 }];
    expect(ofCheck(judgeNats({ ...sound, servers, streams: withReplicas(1) }), "nats.sync")).toEqual([
      ["nats.sync", "money"],
    ]);
    const [finding] = judgeNats({ ...sound, servers });
    expect([finding?.severity, finding?.found]).toEqual(["note", "every 120 s at n1 (2.11.0)"]);
  });

  test("a server before 2.10 syncs every two minutes; of a newer one a login may not see it, and says so", () => {
    const one = (version: string) => ({ ...sound, servers: [{ name: "n", version }], streams: withReplicas(1) });
    expect(ofCheck(judgeNats(one("2.9.10")), "nats.sync")).toEqual([["nats.sync", "money"]]);
    const [finding] = judgeNats(one("2.10.0")).filter(({ check }) => check === "nats.sync");
    expect([finding?.severity, finding?.found]).toEqual(["note", "cannot be seen by this login"]);
    expect(finding?.repair).toContain("NATS_ADMIN_URL");
  });

  test("an old server costs money, one below 2.9.21 time; what a server tells of its sync is read from its settings", () => {
    const old = (version: string) => brief(judgeNats({ ...sound, servers: [{ name: "n", version, sync: "always" }] }));
    expect(old("2.9.21")).toEqual([]);
    expect(old("2.9.20")).toEqual([["nats.reload", "speed"]]);
    expect(old("2.8.4")).toEqual([
      ["nats.version", "money"],
      ["nats.reload", "speed"],
    ]);
    const answer = (config?: object) => ({
      data: { server_name: "n1", version: "2.11.4", ...(config && { jetstream: { config } }) },
    });
    expect(serverOf(answer({ sync_interval: 120_000_000_000 }))).toMatchObject({ name: "n1", sync: 120_000 });
    expect(serverOf(answer({ sync_interval: 120_000_000_000, sync_always: true }))).toMatchObject({ sync: "always" });
    expect(serverOf(answer({ store_dir: "/data" }))).toEqual({ name: "n1", version: "2.11.4" });
    expect([serverOf(answer()), serverOf(null), serverOf({ data: 7 })]).toEqual([undefined, undefined, undefined]);
  });
});

describe("of MySQL", () => {
  const variables = {
    version: "8.0.39",
    read_only: "OFF",
    max_allowed_packet: "67108864",
    innodb_flush_log_at_trx_commit: "1",
    innodb_doublewrite: "ON",
    log_bin: "ON",
    sync_binlog: "1",
  };
  const sound: MysqlSeen = {
    ...{ server: "db:3306", variables, status: {} },
    session: { isolation: "READ-COMMITTED", sqlMode: "STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION", timeZone: "+00:00" },
  };
  const having = (changed: Record<string, string>, status = {}) => ({
    ...sound,
    ...{ variables: { ...variables, ...changed }, status },
  });
  const galera = { version: "10.11.6-MariaDB", wsrep_on: "ON", wsrep_provider_options: "gcache.size = 128M" };

  test("a server with the settings of docker-compose.yml has nothing to be found", () => {
    expect(judgeMysql([sound], 1)).toEqual([]);
  });

  test.each([
    ["0", "money"],
    ["2", "money"],
  ])("innodb_flush_log_at_trx_commit=%s costs money", (value, severity) => {
    const [finding] = judgeMysql([having({ innodb_flush_log_at_trx_commit: value })], 1);
    expect(finding).toMatchObject({ check: "mysql.flush", severity, found: value, server: "db:3306" });
    expect(finding?.repair).toContain("SET GLOBAL innodb_flush_log_at_trx_commit=1");
  });

  test("a binary log that is not synced costs money, none at all is a note", () => {
    expect(brief(judgeMysql([having({ sync_binlog: "0" })], 1))).toEqual([["mysql.binlog", "money"]]);
    expect(brief(judgeMysql([having({ log_bin: "OFF", sync_binlog: "0" })], 1))).toEqual([["mysql.binlog", "note"]]);
  });

  test("pages that may be half written cost money", () => {
    for (const value of ["OFF", "DETECT_ONLY"])
      expect(brief(judgeMysql([having({ innodb_doublewrite: value })], 1))).toEqual([["mysql.doublewrite", "money"]]);
    for (const value of ["DETECT_AND_RECOVER", "fast"])
      expect(judgeMysql([having({ innodb_doublewrite: value })], 1)).toEqual([]);
  });

  test("a session that has not the settings of a service costs money", () => {
    const session = { isolation: "REPEATABLE-READ", sqlMode: "NO_ENGINE_SUBSTITUTION", timeZone: "SYSTEM" };
    expect(brief(judgeMysql([{ ...sound, session }], 1))).toEqual([
      ["mysql.isolation", "money"],
      ["mysql.sql_mode", "money"],
      ["mysql.time_zone", "speed"],
    ]);
  });

  test("an old server costs money, each kind by its own least version; small packets cost time", () => {
    expect(brief(judgeMysql([having({ version: "5.7.44" })], 1))).toEqual([["mysql.version", "money"]]);
    expect(brief(judgeMysql([having({ version: "10.6.1-MariaDB-log" })], 1))).toEqual([["mysql.version", "money"]]);
    expect(judgeMysql([having({ version: "11.4.2-MariaDB" })], 1)).toEqual([]);
    expect(brief(judgeMysql([having({ max_allowed_packet: "1048576" })], 1))).toEqual([["mysql.packet", "speed"]]);
  });

  describe("with a failover", () => {
    const replica = { ...sound, server: "db2:3306", variables: { ...variables, read_only: "ON" } };
    const semiSync = {
      rpl_semi_sync_source_enabled: "ON",
      rpl_semi_sync_source_wait_point: "AFTER_SYNC",
      rpl_semi_sync_source_timeout: "3600000",
    };
    const working = { rpl_semi_sync_source_status: "ON" };

    test("several servers without Galera or semi-sync cost money, one does not", () => {
      expect(brief(judgeMysql([sound], 2))).toEqual([["mysql.failover", "money"]]);
      expect(judgeMysql([sound], 1)).toEqual([]);
    });

    test("semi-sync by either name of its settings is enough, where it waits before others can read", () => {
      expect(judgeMysql([having(semiSync, working)], 2)).toEqual([]);
      const master = Object.fromEntries(
        Object.entries(semiSync).map(([name, to]) => [name.replace("source", "master"), to]),
      );
      expect(judgeMysql([having(master, { rpl_semi_sync_master_status: "ON" })], 2)).toEqual([]);
      const late = { ...semiSync, rpl_semi_sync_source_wait_point: "AFTER_COMMIT" };
      expect(brief(judgeMysql([having(late, working)], 2))).toEqual([["mysql.failover", "money"]]);
    });

    test("a primary that soon commits alone, or does at present, is a note", () => {
      const hasty = { ...semiSync, rpl_semi_sync_source_timeout: "10000" };
      expect(brief(judgeMysql([having(hasty, working)], 2))).toEqual([["mysql.failover", "note"]]);
      const off = { rpl_semi_sync_source_status: "OFF" };
      expect(brief(judgeMysql([having(semiSync, off)], 2))).toEqual([["mysql.failover", "note"]]);
    });

    test("replicas behind one address, for which no commit waits, are a note", () => {
      const [finding] = judgeMysql([having({}, { slaves_connected: "2" })], 1);
      expect([finding?.check, finding?.severity]).toEqual(["mysql.failover", "note"]);
    });

    test("two servers that take writes cost money, a primary and a replica do not", () => {
      const [one, other] = [having(semiSync, working), { ...having(semiSync, working), server: "db2:3306" }];
      expect(brief(judgeMysql([one, other], 2))).toEqual([["mysql.writable", "money"]]);
      const replicaWith = { ...replica, variables: { ...replica.variables, ...semiSync } };
      expect(judgeMysql([one, replicaWith], 2)).toEqual([]);
    });

    test("Galera is enough; there a late flush is a note, two servers or a changing step of ids cost time, and ignoring a lost majority costs money", () => {
      const three = { wsrep_cluster_size: "3" };
      expect(judgeMysql([having(galera, three), having(galera, three)], 3)).toEqual([]);
      expect(brief(judgeMysql([having({ ...galera, innodb_flush_log_at_trx_commit: "0" }, three)], 3))).toEqual([
        ["mysql.flush", "note"],
      ]);
      expect(brief(judgeMysql([having(galera, { wsrep_cluster_size: "2" })], 1))).toEqual([
        ["mysql.failover", "speed"],
      ]);
      expect(brief(judgeMysql([having({ ...galera, wsrep_auto_increment_control: "ON" }, three)], 1))).toEqual([
        ["mysql.failover", "speed"],
      ]);
      const split = { ...galera, wsrep_provider_options: "gcs.fc_limit = 16; pc.ignore_sb = true; pc.weight = 1" };
      expect(brief(judgeMysql([having(split, three)], 1))).toEqual([["mysql.failover", "money"]]);
    });
  });
});

describe("of Redis", () => {
  const info = (changed: Record<string, string | number> = {}) =>
    Object.entries({
      redis_version: "7.0.15",
      maxmemory: 0,
      maxmemory_policy: "noeviction",
      aof_enabled: 1,
      ...changed,
    })
      .map(([name, value]) => `${name}:${value}\r\n`)
      .join("");
  const judge = (changed?: Record<string, string | number>) =>
    brief(judgeRedis({ server: "redis", info: info(changed) }));

  test("nothing costs money: evictions cost order and time where there is a bound, an empty start is a note", () => {
    expect(judge()).toEqual([]);
    expect(judge({ maxmemory_policy: "allkeys-lru", maxmemory: 1_000_000 })).toEqual([["redis.policy", "speed"]]);
    expect(judge({ maxmemory_policy: "allkeys-lru" })).toEqual([["redis.policy", "note"]]);
    expect(judge({ aof_enabled: 0 })).toEqual([["redis.persistence", "note"]]);
    expect(judge({ redis_version: "6.2.14" })).toEqual([["redis.version", "speed"]]);
  });
});

describe("of clocks", () => {
  const at = (server: string, ms: number, uncertainMs = 1) => ({ server, ms, uncertainMs });

  test("a second between any two of them is found, also where this machine is in the middle", () => {
    expect(judgeClocks([at("db", 400), at("nats", -500)], "here")).toEqual([]);
    expect(brief(judgeClocks([at("db", 700), at("nats", -500)], "here"))).toEqual([["clock.skew", "speed"]]);
    const [finding] = judgeClocks([at("db", 30_000), at("nats", 2)], "here");
    expect(finding?.found).toBe("db +30.000 s, nats +0.002 s");
  });

  test("what a slow answer leaves uncertain is not found", () => {
    expect(judgeClocks([at("db", 1_200, 400)], "here")).toEqual([]);
    expect(judgeClocks([], "here")).toEqual([]);
  });
});

test("users' data on several servers is to be accepted, on one it is nothing to report", () => {
  expect([judgeBuckets([]), judgeBuckets(["home"])]).toEqual([[], []]);
  expect(brief(judgeBuckets(["home", "b"]))).toEqual([["mysql.buckets", "money"]]);
  expect(judgeBuckets(["home", "b"])[0]?.found).toBe("2 servers: home, b");
});

test("versions are compared as numbers", () => {
  expect([isAtLeast("2.10.1", "2.9"), isAtLeast("2.9.10", "2.10"), isAtLeast("v24.1.0", "24.0")]).toEqual([
    true,
    false,
    true,
  ]);
  expect(isAtLeast("unknown", "2.9")).toBeUndefined();
});

test("every check is about a promise", () => {
  for (const { promises } of Object.values(checks)) expect(promises.length).toBeGreaterThan(0);
});
