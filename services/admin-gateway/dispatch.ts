import type { ServerResponse } from "node:http";
import { fail, failureName, isUnavailable } from "../../broker/failure.ts";
import { limits } from "../../config/limits.ts";
import { sendSuccess } from "../../mixins/http/answer.ts";
import { clientOf } from "../../mixins/http/request/client.ts";
import { requestFields } from "../../mixins/http/request/fields.ts";
import type { GatewayRequest } from "../../mixins/http/request-context.ts";
import { call } from "../contracts.ts";
import { isShownText } from "../shown-text.ts";
import type { Right } from "../staff-roles.ts";
import { aboutOf, auditedParams } from "./audit-params.ts";
import type { StaffCaller, StaffEndpoint, StaffVisitor } from "./endpoints/endpoint.ts";
import type { AdminGateway, Serve } from "./gateway.ts";
import { requireSameOrigin } from "./origin.ts";
import { type Known, personOf, sessionCookieOf } from "./sessions.ts";

type Params = Record<string, unknown>;

/**
 * Writes what came of a call; tried twice, since a repeat changes nothing. Where that fails, a call that succeeded fails
 * with `unavailable`: it may not be taken for done while the audit does not say so. One that failed keeps its failure.
 */
async function finish(gateway: AdminGateway, request: GatewayRequest, callId: string, outcome: string): Promise<void> {
  const write = () => call(request.$ctx, "staff.finish", { callId, outcome });
  try {
    await write().catch((error: unknown) => (isUnavailable(error) ? write() : Promise.reject(error)));
  } catch (err) {
    const { requestId, route, person } = request.context;
    gateway.logger.error(
      { err, requestId, route, person, callId, outcome },
      "the outcome of a call of the staff is not in the audit: its row stays without one",
    );
    if (outcome === "succeeded") throw fail("unavailable", { mayHaveHappened: true });
  }
}

/**
 * What the call is about, if it may stand in the audit. The fields of a refused call are not checked, and a filter may be
 * any text: control characters are the separators of what seals are made of.
 */
function shownAbout(about: string | undefined): string | undefined {
  return about !== undefined && isShownText(about) ? about : undefined;
}

/**
 * Carries out an audited call: its row is durable before it starts, and so is the row of its outcome before the answer,
 * also where the client has left. Fails: notLoggedIn, roleMissing, unavailable, and as the endpoint.
 */
async function auditedCall(
  gateway: AdminGateway,
  request: GatewayRequest,
  endpoint: StaffEndpoint,
  params: Params,
  caller: StaffCaller,
): Promise<unknown> {
  const right = endpoint.right as Right;
  const { callId } = await call(request.$ctx, "staff.begin", {
    ...{ session: caller.session, route: endpoint.path, right, params: auditedParams(params) },
    ...{ about: shownAbout(endpoint.about(params)), address: caller.address, requestId: request.context.requestId },
  });
  let answer: unknown;
  try {
    answer = await endpoint.carryOut(request.$ctx, params, { ...caller, callId });
  } catch (error) {
    const outcome = failureName(error) ?? (isUnavailable(error) ? "unavailable" : "fault");
    await finish(gateway, request, callId, outcome);
    throw error;
  }
  await finish(gateway, request, callId, "succeeded");
  return answer;
}

function callerOf(visitor: StaffVisitor, { name, role, session }: Known): StaffCaller {
  return { ...visitor, person: name, staffRole: role, operator: `staff:${name}`, session, callId: "" };
}

/**
 * Refuses a call of a person whose role lacks the right, whatever its params are; where the endpoint is audited, the
 * refusal is too. Fails: roleMissing, unavailable.
 */
async function refuse(
  gateway: AdminGateway,
  request: GatewayRequest,
  endpoint: StaffEndpoint,
  fields: Params,
  caller: StaffCaller,
): Promise<never> {
  const asked: StaffEndpoint = {
    ...endpoint,
    about: aboutOf,
    carryOut: () => Promise.reject(fail("roleMissing", { role: caller.staffRole, right: endpoint.right })),
  };
  // The staff service refuses it by itself, unless the person got the role in this moment.
  if (endpoint.audited) await auditedCall(gateway, request, asked, fields, caller);
  throw fail("roleMissing", { role: caller.staffRole, right: endpoint.right });
}

/** The handler of an endpoint's requests. */
export function serveStaffEndpoint(endpoint: StaffEndpoint): Serve {
  const { right, audited } = endpoint;
  return async (gateway, request, response: ServerResponse) => {
    const { context, $ctx } = request;
    const visitor: StaffVisitor = {
      language: context.language,
      address: clientOf(request).address,
      cookie: sessionCookieOf(gateway, request, response),
    };
    if (right === null) requireSameOrigin(request);
    const known = right === null ? undefined : await personOf(gateway, request, endpoint.csrf);
    context.person = known?.name;
    const fields = await requestFields(request, endpoint.fields, limits.http.bodyBytes);
    const carryOut = async () => {
      if (right === null || known === undefined) return endpoint.carryOut($ctx, endpoint.check(fields), visitor);
      const caller = callerOf(visitor, known);
      if (!known.rights.includes(right)) return refuse(gateway, request, endpoint, fields, caller);
      const params = endpoint.check(fields);
      if (audited) return auditedCall(gateway, request, endpoint, params, caller);
      return endpoint.carryOut($ctx, params, caller);
    };
    sendSuccess(response, context, await gateway.runningCalls.add(carryOut()));
  };
}
