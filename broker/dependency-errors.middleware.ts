import type { Context, Middleware, Service } from "moleculer";
import { fail, failureName } from "./failure.ts";

/** Error codes of sockets and of MySQL that mean "not reachable now", or "cannot write now", as the clients report them. */
const unreachable = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "EPIPE",
  "ETIMEDOUT",
  "ENOTFOUND",
  "EHOSTUNREACH",
  "PROTOCOL_CONNECTION_LOST",
  "PROTOCOL_SEQUENCE_TIMEOUT",
  "ER_SERVER_SHUTDOWN",
  "ER_NORMAL_SHUTDOWN",
  "ER_CLIENT_INTERACTION_TIMEOUT",
  "ER_CON_COUNT_ERROR",
  "ER_TOO_MANY_USER_CONNECTIONS",
  "ER_QUERY_INTERRUPTED",
  // A server that was made a replica, or whose disk is full: not the fault of what was to be written.
  "ER_OPTION_PREVENTS_STATEMENT",
  "ER_READ_ONLY_MODE",
  "ER_DISK_FULL",
  "ER_RECORD_FILE_FULL",
  "CONNECTION_CLOSED",
  "CONNECTION_REFUSED",
  "TIMEOUT",
  "DISCONNECT",
  "503",
]);

const redisMessages =
  /Connection is closed|Stream isn't writeable|Command timed out|Reached the max retries|LOADING|READONLY|MISCONF|OOM command not allowed/;

/** mysql2 gives these no code: a connection that broke between two statements, a pool that is full or closed. */
const mysqlMessages =
  /^(Can't add new command when connection is in closed state|Queue limit reached\.|Pool is closed\.)$/;

/** Whether an error says that a server we depend on cannot be reached now, as opposed to a fault of ours. */
export function isDependencyDown(error: unknown): boolean {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  if (typeof code === "string" && unreachable.has(code)) return true;
  return typeof message === "string" && (redisMessages.test(message) || mysqlMessages.test(message));
}

/**
 * Turns "server not reachable" errors of any action into the failure `unavailable`, so that it crosses nodes as what it
 * is, and logs every fault (not the business outcomes) once, where it happened, with the request id.
 */
export const dependencyErrors: Middleware = {
  name: "DependencyErrors",
  localAction(next, action) {
    return async function guarded(this: Service, ctx: Context) {
      try {
        return await next.call(this, ctx);
      } catch (error) {
        const name = failureName(error);
        if (name !== undefined) throw error;
        const about = { action: action.name, requestId: ctx.requestID, caller: ctx.caller, err: error };
        if (isDependencyDown(error)) {
          ctx.broker.logger.warn(about, "a dependency is not reachable: the caller is told to try again");
          throw fail("unavailable", { action: action.name });
        }
        if ((error as { code?: unknown }).code !== 422) ctx.broker.logger.error(about, "action failed");
        throw error;
      }
    };
  },
};
