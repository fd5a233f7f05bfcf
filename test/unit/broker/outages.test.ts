import { ReplyError } from "ioredis";
import { Errors } from "moleculer";
import { ErrorCode, NatsError } from "nats";
import {
  AccessDeniedError,
  ConnectionAcquireTimeoutError,
  DatabaseError,
  HostNotFoundError,
  UniqueConstraintError,
  ValidationError,
} from "sequelize";
import { dependencyErrors } from "../../../broker/dependency-errors.middleware.ts";
import { fail, isUnavailable, outage } from "../../../broker/failure.ts";

/** What mysql2 makes of an answer of the server. */
const mysql = (errno: number, sqlState: string, code: string) =>
  Object.assign(new Error(`${code} of the server`), { errno, sqlState, code, sqlMessage: code });
const redis = (message: string) => new (ReplyError as new (text: string) => Error)(message);
const system = (code: string, syscall: string) => Object.assign(new Error(`${syscall} ${code}`), { code, syscall });
const refusedByApi = (code: number) =>
  Object.assign(new NatsError("refused", String(code)), { api_error: { code, err_code: 0 } });
const file = (code: string, syscall: string) => Object.assign(system(code, syscall), { path: "/var/log/x" });
const parent = (error: Error) => Object.assign(error, { sql: "" });

/** An error as it arrives from another node that threw it. */
function arrived(error: unknown): Error {
  const there = Object.assign(new Errors.Regenerator(), { broker: { nodeID: "there" } });
  const plain = there.extractPlainError(error as never) as object;
  return new Errors.Regenerator().restore(JSON.parse(JSON.stringify(plain)), { sender: "there" });
}

/** What an action throws that met this error. */
async function thrownBy(met: unknown): Promise<unknown> {
  const guard = dependencyErrors.localAction as unknown as (
    next: () => Promise<never>,
    action: { name: string },
  ) => (ctx: object) => Promise<unknown>;
  const quiet = { warn: () => {}, error: () => {} };
  const action = guard(() => Promise.reject(met), { name: "a.b" });
  return action({ broker: { logger: quiet } }).then(
    () => undefined,
    (error: unknown) => error,
  );
}

const outages: [string, unknown][] = [
  ["a name that does not resolve now", system("EAI_AGAIN", "getaddrinfo")],
  ["a name that is not known", system("ENOTFOUND", "getaddrinfo")],
  ["a network that is not reachable", system("ENETUNREACH", "connect")],
  ["a socket that broke", system("ECONNRESET", "read")],
  [
    "none of several addresses",
    new AggregateError([system("ECONNREFUSED", "connect"), system("ECONNREFUSED", "connect")]),
  ],
  ["an account without access", mysql(1045, "28000", "ER_ACCESS_DENIED_ERROR")],
  ["an account that is locked", mysql(4151, "HY000", "ER_ACCOUNT_HAS_BEEN_LOCKED")],
  ["an account that is locked, in MySQL", mysql(3118, "HY000", "ER_ACCOUNT_HAS_BEEN_LOCKED")],
  ["an account without the database", mysql(1044, "42000", "ER_DBACCESS_DENIED_ERROR")],
  ["an account without the table", mysql(1142, "42000", "ER_TABLEACCESS_DENIED_ERROR")],
  ["an account with too many connections", mysql(1203, "42000", "ER_TOO_MANY_USER_CONNECTIONS")],
  ["an account that used up its queries", mysql(1226, "42000", "ER_USER_LIMIT_REACHED")],
  ["a database that is being restored", mysql(1049, "42000", "ER_BAD_DB_ERROR")],
  ["a table that is being restored", mysql(1146, "42S02", "ER_NO_SUCH_TABLE")],
  ["a cluster without a quorum", mysql(1047, "08S01", "ER_UNKNOWN_COM_ERROR")],
  ["a commit that failed", mysql(1180, "HY000", "ER_ERROR_DURING_COMMIT")],
  ["a demoted primary", mysql(1290, "HY000", "ER_OPTION_PREVENTS_STATEMENT")],
  ["a read-only transaction", mysql(1792, "25006", "ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION")],
  ["a server in read-only mode", mysql(1836, "HY000", "ER_READ_ONLY_MODE")],
  ["a server that shuts down", mysql(1053, "08S01", "ER_SERVER_SHUTDOWN")],
  ["a connection that was killed", mysql(1927, "70100", "ER_CONNECTION_KILLED")],
  ["a statement that was interrupted", mysql(1317, "70100", "ER_QUERY_INTERRUPTED")],
  ["a server with too many connections", mysql(1040, "08004", "ER_CON_COUNT_ERROR")],
  ["a transaction that does not fit to another node's", mysql(1213, "40001", "ER_LOCK_DEADLOCK")],
  ["a group that has no quorum", mysql(3100, "HY000", "ER_RUN_HOOK_ERROR")],
  ["a group that takes a transaction back", mysql(3101, "40000", "ER_TRANSACTION_ROLLBACK_DURING_COMMIT")],
  ["a proxy that has no server", mysql(9001, "HY000", "ER_PROXYSQL_MAX_CONN_TIMEOUT")],
  ["a cluster that is busy with its regions", mysql(9005, "HY000", "ER_REGION_UNAVAILABLE")],
  ["a server in offline mode", mysql(3032, "HY000", "ER_SERVER_OFFLINE_MODE")],
  ["a full disk", mysql(1021, "HY000", "ER_DISK_FULL")],
  ["a full table", mysql(1114, "HY000", "ER_RECORD_FILE_FULL")],
  ["rows that stay locked", mysql(1205, "HY000", "ER_LOCK_WAIT_TIMEOUT")],
  ["a code that nobody has heard of", mysql(9999, "HY000", "ER_OF_NEXT_YEAR")],
  [
    "a connection that mysql2 lost",
    Object.assign(new Error("lost"), { code: "PROTOCOL_CONNECTION_LOST", fatal: true }),
  ],
  ["NOREPLICAS", redis("NOREPLICAS Not enough good replicas to write.")],
  ["NOREPLICAS in a script", redis("NOREPLICAS Not enough good replicas to write. script: 1a2b, on @user_script:1.")],
  ["MASTERDOWN", redis("MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.")],
  ["READONLY", redis("READONLY You can't write against a read only replica.")],
  [
    "READONLY in a script of Redis 6",
    redis(
      "ERR Error running script (call to f_1a2b): @user_script:1: @user_script: 1: -READONLY You can't write against a read only replica. ",
    ),
  ],
  ["OOM", redis("OOM command not allowed when used memory > 'maxmemory'.")],
  ["MISCONF", redis("MISCONF Redis is configured to save RDB snapshots, but it is currently not able to persist")],
  ["LOADING", redis("LOADING Redis is loading the dataset in memory")],
  ["BUSY", redis("BUSY Redis is busy running a script.")],
  ["NOPERM", redis("NOPERM User default has no permissions to run the 'eval' command")],
  ["NOAUTH", redis("NOAUTH Authentication required.")],
  ["WRONGPASS", redis("WRONGPASS invalid username-password pair or user is disabled.")],
  ["ERR invalid password", redis("ERR invalid password")],
  ["too many clients of Redis", redis("ERR max number of clients reached")],
  ["a prefix of Redis that nobody has heard of", redis("OVERLOADED come again")],
  ["an ioredis client that lost its connection", Object.assign(new Error("x"), { name: "MaxRetriesPerRequestError" })],
  ["NATS that does not answer", new NatsError("x", ErrorCode.Timeout)],
  ["a connection to NATS that is closed", new NatsError("x", ErrorCode.ConnectionClosed)],
  ["NATS that refuses the account", new NatsError("x", ErrorCode.AuthorizationViolation)],
  ["JetStream without a leader", refusedByApi(503)],
  ["a stream that is gone", refusedByApi(404)],
  ["Sequelize that may not log in", new AccessDeniedError(mysql(1045, "28000", "ER_ACCESS_DENIED_ERROR"))],
  ["Sequelize that finds no host", new HostNotFoundError(system("ENOTFOUND", "getaddrinfo"))],
  ["Sequelize whose pool is used up", new ConnectionAcquireTimeoutError(new Error("x"))],
  [
    "Sequelize on a demoted primary",
    new DatabaseError(parent(mysql(1290, "HY000", "ER_OPTION_PREVENTS_STATEMENT")) as never),
  ],
  ["a service that is not there", new Errors.ServiceNotFoundError({ action: "a.b" })],
  ["a call that took too long", new Errors.RequestTimeoutError({ action: "a.b", nodeID: "n" })],
  ["a call that was too late to be made", new Errors.RequestSkippedError({ action: "a.b", nodeID: "n" })],
  ["a queue that is full", new Errors.QueueIsFullError({ action: "a.b", nodeID: "n", size: 1, limit: 1 })],
  ["a broker that lost NATS", new (Errors.BrokerDisconnectedError as unknown as new () => Error)()],
  ["a failure of our own", fail("unavailable")],
  ["a socket that takes nothing more", system("EPIPE", "write")],
  ["a socket whose other end is silent", system("ETIMEDOUT", "read")],
  ["what became of a driver's error", outage(system("EAI_AGAIN", "getaddrinfo"), {})],
];

const faults: [string, unknown][] = [
  ["a syntax error", mysql(1064, "42000", "ER_PARSE_ERROR")],
  ["an unknown column", mysql(1054, "42S22", "ER_BAD_FIELD_ERROR")],
  ["a duplicate key", mysql(1062, "23000", "ER_DUP_ENTRY")],
  ["a missing parent row", mysql(1452, "23000", "ER_NO_REFERENCED_ROW_2")],
  ["a CHECK of MariaDB", mysql(4025, "23000", "ER_CONSTRAINT_FAILED")],
  ["a CHECK of MySQL", mysql(3819, "HY000", "ER_CHECK_CONSTRAINT_VIOLATED")],
  ["a value out of range", mysql(1264, "22003", "ER_WARN_DATA_OUT_OF_RANGE")],
  ["a value that is too long", mysql(1406, "22001", "ER_DATA_TOO_LONG")],
  ["a value that is no string of the column", mysql(1366, "HY000", "ER_TRUNCATED_WRONG_VALUE_FOR_FIELD")],
  ["a column without a value", mysql(1364, "HY000", "ER_NO_DEFAULT_FOR_FIELD")],
  ["more values than columns", mysql(1136, "21S01", "ER_WRONG_VALUE_COUNT_ON_ROW")],
  ["a statement that is larger than the server takes", mysql(1153, "08S01", "ER_NET_PACKET_TOO_LARGE")],
  ["a function that is not there", mysql(1305, "42000", "ER_SP_DOES_NOT_EXIST")],
  ["a trigger that refuses", mysql(1644, "45000", "ER_SIGNAL_EXCEPTION")],
  ["WRONGTYPE", redis("WRONGTYPE Operation against a key holding the wrong kind of value")],
  ["NOSCRIPT", redis("NOSCRIPT No matching script. Please use EVAL.")],
  ["a syntax error of Redis", redis("ERR syntax error")],
  ["an unknown command", redis("ERR unknown command 'FOO', with args beginning with: ")],
  ["too few arguments", redis("ERR wrong number of arguments for 'get' command")],
  ["no integer", redis("ERR value is not an integer or out of range")],
  ["a script that does not compile", redis("ERR Error compiling script (new function): user_script:1: '=' expected")],
  [
    "a script with a bug",
    redis("ERR user_script:1: attempt to compare nil with number script: 1a2b, on @user_script:1."),
  ],
  [
    "a script of Redis 6 with a bug",
    redis("ERR Error running script (call to f_1a2b): @user_script:1: user_script:1: attempt to index nil"),
  ],
  ["a subject that is none", new NatsError("x", ErrorCode.BadSubject)],
  ["a message that is larger than NATS takes", new NatsError("x", ErrorCode.MaxPayloadExceeded)],
  ["a request that JetStream does not understand", refusedByApi(400)],
  [
    "a duplicate key by Sequelize",
    new UniqueConstraintError({ parent: parent(mysql(1062, "23000", "ER_DUP_ENTRY")) as never }),
  ],
  ["a value that Sequelize refuses", new ValidationError("x", [])],
  ["a file that is not there", system("ENOENT", "open")],
  ["a folder that is read as a file", system("EISDIR", "read")],
  ["a full disk under a file of ours", system("ENOSPC", "write")],
  ["a disk that is broken", system("EIO", "read")],
  ["a file whose server does not answer", file("ETIMEDOUT", "read")],
  ["an error of the language", new TypeError("x")],
  ["a plain error, as a fault of another node arrives", new Error("x")],
  ["params that a service refused", new Errors.ValidationError("x", "VALIDATION_ERROR", {})],
  ["a business outcome", fail("balanceShort")],
  ["nothing at all", undefined],
];

describe("these errors of drivers are outages", () => {
  test.each(outages)("%s", (_what, error) => {
    expect(isUnavailable(error)).toBe(true);
  });
});

describe("these errors are faults: waiting does not help", () => {
  test.each(faults)("%s", (_what, error) => {
    expect(isUnavailable(error)).toBe(false);
  });
});

describe("an error of another node keeps the class that that node gave it, although not all of its fields arrive", () => {
  test.each(outages)("an outage: %s", async (_what, error) => {
    expect(isUnavailable(arrived(await thrownBy(error)))).toBe(true);
  });

  test.each(faults.filter(([, error]) => error !== undefined))("a fault: %s", async (_what, error) => {
    expect(isUnavailable(arrived(error))).toBe(false);
    const thrown = await thrownBy(error);
    expect(isUnavailable(thrown)).toBe(false);
    expect(isUnavailable(arrived(thrown))).toBe(false);
    // Also where that node passes on what a third one met.
    expect(isUnavailable(await thrownBy(arrived(thrown)))).toBe(false);
  });
});

test("a driver's message about a wrong statement stays on its node", async () => {
  const met = Object.assign(mysql(1406, "22001", "ER_DATA_TOO_LONG"), { sql: "INSERT secret" });
  met.message = "Data too long: secret";
  const thrown = (await thrownBy(met)) as Error & { type: string; code: number };
  expect(thrown).toMatchObject({ type: "FAULT", code: 500, cause: met });
  expect(JSON.stringify({ ...arrived(thrown), text: thrown.message, stack: thrown.stack })).not.toContain("secret");
  const refusal = fail("balanceShort");
  expect(await thrownBy(refusal)).toBe(refusal);
});

test("the failure made of a driver's error has the driver's message, within bounds, and keeps the error for the log", () => {
  const said = Object.assign(new Error("x".repeat(10_000)), { code: "ER_X", errno: 7 });
  const failure = outage(said, { database: "d" }) as Error & { data: Record<string, unknown> };
  expect(failure.data).toMatchObject({ database: "d", errno: 7 });
  expect(failure.data.cause).toMatch(/^ER_X: x{100,194}$/);
  expect(failure.cause).toBe(said);
});
