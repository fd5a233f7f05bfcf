/**
 * Classifies errors of drivers (mysql2, sequelize, ioredis, nats, Node's sockets). Every error is an outage, which
 * passes and is retried, except the few that mean that the statement itself is wrong and would always be refused. Only
 * these fail a request as a fault, or make a message a dead letter.
 */

interface DriverError {
  name?: unknown;
  message?: unknown;
  code?: unknown;
  errno?: unknown;
  sqlState?: unknown;
  fatal?: unknown;
  syscall?: unknown;
  parent?: unknown;
  command?: unknown;
  api_error?: { code?: unknown };
  errors?: unknown;
  nodeID?: unknown;
  path?: unknown;
}

const textOf = (value: unknown) => (typeof value === "string" ? value : "");

/**
 * Classes of SQLSTATE that concern the statement: cardinality, data, constraint, unsupported feature, syntax or name,
 * and the class that our triggers raise.
 */
const statementStates = /^(0A|21|22|23|42|45)/;

/** Errors of the statement for which the server has no other class than HY000, 01000 or 08S01. */
const statementErrors: ReadonlySet<unknown> = new Set([
  1093, // ER_UPDATE_TABLE_USED
  1153, // ER_NET_PACKET_TOO_LARGE
  1193, // ER_UNKNOWN_SYSTEM_VARIABLE
  1210, // ER_WRONG_ARGUMENTS
  1221, // ER_WRONG_USAGE
  1265, // WARN_DATA_TRUNCATED
  1267, // ER_CANT_AGGREGATE_2COLLATIONS
  1364, // ER_NO_DEFAULT_FOR_FIELD
  1366, // ER_TRUNCATED_WRONG_VALUE_FOR_FIELD
  1390, // ER_PS_MANY_PARAM
  1411, // ER_WRONG_VALUE_FOR_TYPE
  3819, // ER_CHECK_CONSTRAINT_VIOLATED
]);

/**
 * Errors of these classes that concern the server or the account. A missing table or database is one: a service starts
 * only on a complete database, so a table that is missing later was removed, e.g. by a restore in progress.
 */
const stateOfServer: ReadonlySet<unknown> = new Set([
  1044, // ER_DBACCESS_DENIED_ERROR
  1045, // ER_ACCESS_DENIED_ERROR
  1049, // ER_BAD_DB_ERROR
  1142, // ER_TABLEACCESS_DENIED_ERROR
  1143, // ER_COLUMNACCESS_DENIED_ERROR
  1146, // ER_NO_SUCH_TABLE
  1203, // ER_TOO_MANY_USER_CONNECTIONS
  1226, // ER_USER_LIMIT_REACHED
  1227, // ER_SPECIFIC_ACCESS_DENIED_ERROR
  1370, // ER_PROCACCESS_DENIED_ERROR
  1461, // ER_MAX_PREPARED_STMT_COUNT_REACHED
]);

/** Whether an error of mysql2 for a statement means that the statement is wrong. Not for errors of connecting. */
export function isStatementFault(error: unknown): boolean {
  const { name, errno, sqlState } = (error ?? {}) as DriverError;
  // Plain errors of mysql2 concern a value that it was given.
  if (sqlState === undefined && /^(Type|Range|Syntax)Error$/.test(textOf(name))) return true;
  if (statementErrors.has(errno)) return true;
  return statementStates.test(textOf(sqlState)) && !stateOfServer.has(errno);
}

/** Redis of 6 and older wraps the error of a command in a script: `ERR Error running script (...): ... -OOM command ...` */
const wrapped = /^ERR Error running script .*: -([A-Z]+ .*)$/;

const commandFaults =
  /^(WRONGTYPE|NOSCRIPT|EXECABORT|BUSYKEY|INVALIDOBJ|CROSSSLOT) |^ERR (syntax error|unknown (sub)?command|Unknown (sub)?command|Unknown Redis (command|commands)|This Redis command is not allowed|wrong number of|Wrong number of|invalid |value is (not|out of range)|hash value is not|increment or decrement|min or max|weight value|no such key|index out of range|offset is out of range|string exceeds|Number of keys|numkeys|Error (compiling|running) script|user_script|Script (attempted|killed))/;

const redisAccount = /^ERR (invalid (username-)?password|invalid DB index)/;

/** Whether an error reply of Redis means that the command or the script is wrong. */
export function isCommandFault(error: unknown): boolean {
  const message = textOf((error as DriverError | null)?.message);
  const reply = wrapped.exec(message)?.[1] ?? message;
  return commandFaults.test(reply) && !redisAccount.test(reply);
}

const natsFaults: ReadonlySet<unknown> = new Set([
  "BAD_SUBJECT",
  "BAD_JSON",
  "BAD_PAYLOAD",
  "BAD_HEADER",
  "INVALID_OPTION",
  "INVALID_PAYLOAD_TYPE",
  "MAX_PAYLOAD_EXCEEDED",
]);

/** Whether an error of the NATS client means that the message or the request to JetStream is wrong. */
export function isMessageFault(error: unknown): boolean {
  const { code, api_error } = (error ?? {}) as DriverError;
  return natsFaults.has(code) || api_error?.code === 400;
}

/** Operating system calls for connections and names only. */
const socketCalls = /^(connect|shutdown|getaddrinfo|query[A-Z]\w*)$/;

/** Calls that also exist for files, and errors of them that only a socket returns. */
const streamCalls = /^(read|write|writev)$/;
const socketCodes =
  /^(ECONN(RESET|ABORTED|REFUSED)|EPIPE|ETIMEDOUT|E(HOST|NET)(UNREACH|DOWN)|ENETRESET|ENOTCONN|ESHUTDOWN|ENOBUFS)$/;

/** Whether the error is of a socket. An error of a file has a path. */
function isSocketError({ syscall, code, path }: DriverError): boolean {
  const call = textOf(syscall);
  if (socketCalls.test(call)) return true;
  return path === undefined && streamCalls.test(call) && socketCodes.test(textOf(code));
}

/**
 * Whether an error was thrown on another node. That node has classified it already, with the full error of its driver:
 * its outages arrive as `unavailable`.
 */
function isOfAnotherNode({ nodeID }: DriverError): boolean {
  return typeof nodeID === "string";
}

/** Moleculer's own errors for a call without an available node, as they arrive from this or another node. */
const nobodyThere: ReadonlySet<unknown> = new Set([
  "SERVICE_NOT_FOUND",
  "SERVICE_NOT_AVAILABLE",
  "REQUEST_TIMEOUT",
  "REQUEST_SKIPPED",
  "REQUEST_REJECTED",
  "QUEUE_FULL",
  "BAD_GATEWAY",
]);

/** Whether a call had no available node, or its node did not answer. */
export function isNobodyThere(error: unknown): boolean {
  return nobodyThere.has((error as { type?: unknown } | null)?.type);
}

/**
 * Whether an error comes from a driver of this node and is an outage of its server. The database class, the Redis
 * client and the publisher convert their errors to `unavailable` themselves; this recognizes errors that bypass them.
 */
export function isOutage(error: unknown): boolean {
  if (typeof error !== "object" || error === null || isOfAnotherNode(error)) return false;
  const { name, code, sqlState, fatal, parent, command, errors } = error as DriverError;
  if (textOf(name).startsWith("Sequelize"))
    return (
      /^Sequelize(Connection|Host|AccessDenied|InvalidConnection|Timeout)/.test(name as string) || isOutage(parent)
    );
  if (name === "NatsError") return !isMessageFault(error);
  if (name === "ReplyError") return !isCommandFault(error);
  if (name === "MaxRetriesPerRequestError") return true;
  if (name === "AbortError" && command !== undefined) return true;
  // The error of a name with several addresses, none of which could be reached.
  if (name === "AggregateError" && Array.isArray(errors)) return errors.some(isOutage);
  if (sqlState !== undefined) return !isStatementFault(error);
  if (fatal === true || /^(ER|PROTOCOL|POOL)_/.test(textOf(code))) return true;
  return isSocketError(error);
}

/** Whether an error comes from a driver of this node and is not an outage: the statement or message is wrong. */
export function isDriverFault(error: unknown): boolean {
  if (typeof error !== "object" || error === null || isOfAnotherNode(error) || isOutage(error)) return false;
  const { name, sqlState } = error as DriverError;
  return sqlState !== undefined || /^(Sequelize|NatsError$|ReplyError$)/.test(textOf(name));
}
