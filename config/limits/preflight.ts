/** What a node wants of its servers before it starts (mixins/preflight/). */
export const preflightLimits = Object.freeze({
  /** The exit code of a node that does not start for what it found. */
  refusedExitCode: 3,
  /** How long looking at one server may take; then it counts as not reached, which readiness reports. */
  serverMs: 5_000,
  /** How long the servers of a NATS cluster are waited for, and each further one after an answer. */
  serversMs: 1_000,
  nextServerMs: 100,
  /** How often a clock is read; the quickest answer counts. */
  clockReadings: 3,
  /** The copies of a stream with which a server may be lost with its disk and the others go on. */
  streamReplicas: 3,
  /** The servers of a Galera cluster with which one may be lost and the others go on. */
  galeraServers: 3,
  /** A batch of gifts is one statement, and far smaller. */
  mysqlPacketBytes: 16 * 1_024 * 1_024,
  /** With a shorter wait for its replicas a primary with semi-sync soon commits alone. */
  semiSyncWaitMs: 3_600_000,
  /**
   * The versions from which on the tests are run, or the features exist that are used. MySQL before 8.0.22 refuses FOR SHARE
   * to a login that may only SELECT.
   */
  versions: Object.freeze({ node: "24.0", nats: "2.9", mysql: "8.0.22", mariadb: "10.11", redis: "7.0" }),
  /** nats-server below this has a fixed interval of two minutes; from it on it has the setting. */
  natsWithSyncInterval: "2.10",
  /** The first version whose reload keeps the imports of accounts that are in use (nats-server's pull request 4327). */
  natsWithSafeReload: "2.9.21",
  natsSyncMs: 120_000,
});
