import { z } from "zod";
import type { FailureName } from "../../../config/errors.ts";
import type { CallingContext, EndpointForm } from "../../../mixins/http/endpoint-form.ts";
import type { Fields } from "../../../mixins/http/request/fields.ts";
import type { Language } from "../../../mixins/http/wording.ts";
import { checkParams } from "../../action-contract.ts";
import type { Right, StaffRole } from "../../staff-roles.ts";
import { aboutOf } from "../audit-params.ts";

/** Every path of the staff's API begins so. */
export const staffApiBase = "/live/admin";

/** The cookie of a session in a browser. */
export interface SessionCookie {
  /** The cookie with the session's token; `expiresTime` is that of the session, ISO. */
  set(session: string, expiresTime: string): void;
  remove(): void;
}

/** Who calls an endpoint that needs no session. */
export interface StaffVisitor {
  readonly language: Language;
  /** The client's whole address, for the audit. */
  readonly address: string;
  readonly cookie: SessionCookie;
}

/** The person who calls an endpoint. */
export interface StaffCaller extends StaffVisitor {
  /** The person's name. */
  readonly person: string;
  readonly staffRole: StaffRole;
  /** The `operator` of other services' actions. */
  readonly operator: `staff:${string}`;
  /** The token as presented, for actions of the staff service. It must not get into logs, errors or tables. */
  readonly session: string;
  /** The id of the call's row in the audit; empty where the endpoint is not audited. */
  readonly callId: string;
}

interface Definition<R extends Right | null, Params extends z.ZodRawShape, Result extends z.ZodType> {
  /** Without the base, e.g. `gift/create`. */
  path: string;
  summary: string;
  /** Details beyond the summary, for the documentation. */
  description?: string;
  /** What the caller's role must have; `null`: whoever reaches the listener, without a session. */
  right: R;
  params: Params;
  /** The schema of the envelope's `data`: it documents the answer and types the result of `run`. */
  result: Result;
  /** The business outcomes besides success. */
  failures?: readonly FailureName[];
  /** The id of what the call concerns, for the audit; left out: the first id among the params (`aboutOf`). */
  about?(params: z.output<z.ZodObject<Params>>): string | undefined;
  /** No rows in the audit: what a page asks for all the time, and what the staff service audits itself. */
  audited?: false;
  /** Answers a page that does not know its CSRF token yet, as after a reload. It must not change anything. */
  csrf?: false;
  run(
    ctx: CallingContext,
    params: z.output<z.ZodObject<Params>>,
    caller: R extends null ? StaffVisitor : StaffCaller,
  ): Promise<z.input<Result>> | z.input<Result>;
}

/** One POST endpoint of the staff's API. */
export interface StaffEndpoint extends EndpointForm {
  readonly right: Right | null;
  readonly audited: boolean;
  /** Whether a request by cookie needs the session's CSRF token. */
  readonly csrf: boolean;
  /** Fails: as the params' schema, invalidParam. */
  check(fields: Fields): Record<string, unknown>;
  about(params: Record<string, unknown>): string | undefined;
  /** Carries out a request with checked params. Fails: `failures`. */
  carryOut(ctx: CallingContext, params: Record<string, unknown>, caller: StaffVisitor | StaffCaller): Promise<unknown>;
}

/**
 * Declares an endpoint of the staff's API. The door (dispatch.ts) checks session, CSRF token and right and writes the
 * audit around every call; an endpoint has none of it.
 */
export function staffEndpoint<const R extends Right | null, Params extends z.ZodRawShape, Result extends z.ZodType>(
  definition: Definition<R, Params, Result>,
): StaffEndpoint {
  const { path, summary, description, right, result, failures = [], about = aboutOf } = definition;
  const { audited = true, csrf = true } = definition;
  const params = z.object(definition.params);
  const run = definition.run as (ctx: CallingContext, params: unknown, caller: unknown) => unknown;
  return {
    ...{ path: `${staffApiBase}/${path}`, summary, description, right, result, failures },
    audited: audited && right !== null,
    csrf,
    params: params as unknown as z.ZodObject,
    fields: Object.keys(definition.params),
    unsure: undefined,
    check: (fields) => checkParams(params, fields) as Record<string, unknown>,
    about: about as StaffEndpoint["about"],
    carryOut: async (ctx, checked, caller) => run(ctx, checked, caller),
  };
}
