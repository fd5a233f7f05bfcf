import { z } from "zod";
import { fail, isFailure } from "../../../broker/failure.ts";
import { limits } from "../../../config/limits.ts";
import { sendSuccess, showing } from "../../../mixins/http/answer.ts";
import { bearerToken, clientOf } from "../../../mixins/http/request/client.ts";
import { jsonFields } from "../../../mixins/http/request/fields.ts";
import type { GatewayRequest } from "../../../mixins/http/request-context.ts";
import { tracedRequest } from "../../../mixins/http/traced-request.ts";
import { checkParams } from "../../action-contract.ts";
import { idOfApiKey } from "../../api-keys.ts";
import { idempotencyKey, type KnownApiKey } from "../../platform/platform.contract.ts";
import type { Gateway, Serve } from "../gateway.ts";
import type { ServerCaller, ServerEndpoint, ServerWriter } from "./server-endpoint.ts";
import { fingerprintOf, writeIdOf } from "./write-content.ts";

const minuteMs = 60_000;

/**
 * The API key of a request: its Bearer token, and nothing else; no login of a user is one. Requests without a valid key
 * are counted by address, those with one are not. Fails: notLoggedIn, tooMany; unavailable, where nobody knows.
 */
async function keyOf(gateway: Gateway, request: GatewayRequest): Promise<{ key: KnownApiKey; presented: string }> {
  const { keys } = gateway.serverApi;
  const presented = bearerToken(request.headers) ?? "";
  const known = keys.known(presented);
  if (known) return { key: known, presented };
  const counted = {
    ...{ name: "server-api failed", key: clientOf(request).key, windowMs: minuteMs },
    limit: limits.platform.failuresPerAddressPerMinute,
  };
  if (idOfApiKey(presented) !== undefined) {
    const waitMs = await gateway.rateLimit.waitFor(counted);
    if (waitMs > 0) throw fail("tooMany", { waitMs });
    const found = await keys.find(presented);
    if (found) return { key: found, presented };
  }
  const waitMs = await gateway.rateLimit.hitAlways(counted);
  throw waitMs > 0 ? fail("tooMany", { waitMs }) : fail("notLoggedIn");
}

/** Fails: tooMany. Without Redis keys are not limited. */
async function countKey(gateway: Gateway, key: KnownApiKey, { name, perMinute }: ServerEndpoint["perKey"]) {
  const most = key.perMinute ?? perMinute;
  const waitMs = await gateway.rateLimit.hit(`${name} key`, key.keyId, most, minuteMs);
  if (waitMs > 0) throw fail("tooMany", { waitMs });
}

const idempotencyHeader = "Idempotency-Key";
const writeHeaders = z.object({ [idempotencyHeader]: idempotencyKey });

/** Fails: invalidParam. */
function writerOf(request: GatewayRequest, caller: ServerCaller): ServerWriter {
  const given = { [idempotencyHeader]: request.headers[idempotencyHeader.toLowerCase()] };
  const key = checkParams(writeHeaders, given)[idempotencyHeader] as string;
  return {
    ...caller,
    idempotencyKey: key,
    // Most writes do not need it.
    get writeId() {
      return writeIdOf(key);
    },
  };
}

/** The error; that of a wrong field shows which one, where it is one that callers send. */
function showingField(error: unknown, endpoint: ServerEndpoint): unknown {
  const { field } = (error as { data?: { field?: unknown } }).data ?? {};
  if (!isFailure(error, "invalidParam") || typeof field !== "string") return error;
  const [name = ""] = field.split(".");
  const isSent = name === idempotencyHeader || endpoint.fields.includes(name);
  return isSent ? showing(error as Error, { field }) : error;
}

/** The handler of requests of an endpoint of the server API. */
export function serveServerEndpoint(endpoint: ServerEndpoint): Serve {
  const serve = serveWithoutHints(endpoint);
  return async (...request) => {
    try {
      await serve(...request);
    } catch (error) {
      throw showingField(error, endpoint);
    }
  };
}

function serveWithoutHints(endpoint: ServerEndpoint): Serve {
  const { path, scope, perKey, rerun } = endpoint;
  return async (gateway, request, response) => {
    const { context, $ctx } = request;
    const { keys, writes, directory } = gateway.serverApi;
    const { key, presented } = await keyOf(gateway, request);
    context.keyId = key.keyId;
    if (!key.scopes.includes(scope)) throw showing(fail("scopeMissing", { keyId: key.keyId, scope }), { scope });
    await countKey(gateway, key, perKey);
    const fields = await jsonFields(request, endpoint.fields, limits.http.bodyBytes);
    // A body may take `limits.http.requestTimeoutMs`; the key may be revoked meanwhile.
    keys.requireStillValid(key);
    const params = endpoint.check(fields);
    const caller: ServerCaller = { language: context.language, keyId: key.keyId, apiKey: presented };
    const carryOut = (by: ServerCaller) =>
      tracedRequest(gateway.broker, request, () => endpoint.carryOut($ctx, params, by, directory), { continues: true });
    if (!endpoint.write) {
      sendSuccess(response, context, await carryOut(caller));
      return;
    }
    const writer = writerOf(request, caller);
    const write = { key: writer.idempotencyKey, fingerprint: fingerprintOf(path, params), rerun, path };
    const about = { ...write, requestId: context.requestId };
    sendSuccess(response, context, await writes.once(about, () => carryOut(writer)));
  };
}
