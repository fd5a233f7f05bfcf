import { z } from "zod";
import type { FailureName } from "../../../config/errors.ts";
import { limits } from "../../../config/limits.ts";
import type { CallingContext, EndpointForm } from "../../../mixins/http/endpoint-form.ts";
import type { Fields } from "../../../mixins/http/request/fields.ts";
import type { Language } from "../../../mixins/http/wording.ts";
import { checkParams } from "../../action-contract.ts";
import type { ApiScope } from "../../api-scopes.ts";
import {
  type Directory,
  type Refers,
  type Resolved,
  referenceParams,
  referencesOf,
  requireOneOfEach,
  resolved,
  shownWithExternalIds,
} from "./people.ts";

/** Every path of the server API begins so. */
export const serverApiBase = "/live/server/v1";

/** Who calls an endpoint of the server API. */
export interface ServerCaller {
  readonly language: Language;
  readonly keyId: string;
  /**
   * The presented key itself, for actions that check it by themselves. It must not get into logs, errors or tables.
   */
  readonly apiKey: string;
}

/** Who calls an endpoint that writes. */
export interface ServerWriter extends ServerCaller {
  readonly idempotencyKey: string;
  /**
   * A UUID made of the idempotency key, the same in every repeat for ever: for the business ids of what the write does,
   * where its params have none.
   */
  readonly writeId: string;
}

export interface Definition<R extends Refers, Params extends z.ZodRawShape, Result extends z.ZodType, W> {
  /** Without the base, e.g. `users/get`. */
  path: string;
  summary: string;
  description?: string;
  scope: ApiScope;
  /**
   * It changes something and needs an Idempotency-Key. `run` may be run again after its node died in the middle, also
   * beside a run that has not ended: it must be idempotent by business ids from its params or `writeId`.
   */
  write?: W;
  /**
   * Of a write whose success, run again, is the same by itself: it is not kept, and no repeat waits. Its refusals are
   * kept, and answered 503 while an earlier attempt may still succeed (`shownWhileUnsure`).
   */
  rerun?: true;
  /** The users and rooms that it is about: see people.ts. */
  refers?: R;
  params: Params;
  /** Sets of params of which a request has exactly one; for the documentation: `run` refuses others. */
  oneOf?: readonly (readonly string[])[];
  /** The schema of the envelope's `data`. External ids are added where it has ids. */
  result: Result;
  /** The business outcomes besides success, without those of `refers` and of idempotency keys. */
  failures?: readonly FailureName[];
  /** The `data` of a 503 after which the request may have been carried out (`failShowing`). */
  unsure?: z.ZodType;
  /** The requests of one key in a minute, where this endpoint is counted apart from the others. */
  perKeyPerMinute?: number;
  run(
    ctx: CallingContext,
    params: z.output<z.ZodObject<Params>> & Resolved<R>,
    caller: W extends true ? ServerWriter : ServerCaller,
  ): Promise<z.input<Result>> | z.input<Result>;
}

/** One endpoint of the server API. */
export interface ServerEndpoint extends EndpointForm {
  readonly scope: ApiScope;
  readonly write: boolean;
  readonly rerun: boolean;
  readonly refers: Refers;
  /** Groups of sets of fields: a request has exactly one set of each group. */
  readonly alternatives: readonly (readonly (readonly string[])[])[];
  /** How the requests of a key are counted: under which name, and the default of their number in a minute. */
  readonly perKey: { readonly name: string; readonly perMinute: number };
  /** Fails: as the params' schema, invalidParam. */
  check(fields: Fields): Record<string, unknown>;
  /** Carries out a request with checked params. Fails: `failures`. */
  carryOut(
    ctx: CallingContext,
    params: Record<string, unknown>,
    caller: ServerWriter | ServerCaller,
    directory: Directory,
  ): Promise<unknown>;
}

const anyRequest = { name: "server-api", perMinute: limits.platform.requestsPerKeyPerMinute } as const;

function failuresOf(refers: Refers, write: boolean, own: readonly FailureName[]): FailureName[] {
  const kinds = new Set(Object.values(refers).map((kind) => kind?.replace("?", "")));
  return [
    ...new Set<FailureName>([
      ...own,
      ...(kinds.has("user") ? (["userUnknown"] as const) : []),
      ...(kinds.has("room") || kinds.has("lastRoom") ? (["roomNotLive"] as const) : []),
      ...(write ? (["idempotencyConflict"] as const) : []),
    ]),
  ];
}

export function serverEndpoint<
  Params extends z.ZodRawShape,
  Result extends z.ZodType,
  const R extends Refers = Record<never, never>,
  const W extends true | undefined = undefined,
>(definition: Definition<R, Params, Result, W>): ServerEndpoint {
  const {
    path,
    summary,
    description,
    scope,
    rerun,
    refers,
    result,
    failures = [],
    unsure,
    perKeyPerMinute,
    oneOf,
  } = definition;
  const meant: Refers = refers ?? {};
  const write = definition.write === true;
  const references = referencesOf(meant).filter(({ needed }) => needed);
  const alternatives = [...references.map(({ name, external }) => [[name], [external]]), ...(oneOf ? [oneOf] : [])];
  const params = z.object({ ...referenceParams(meant), ...definition.params });
  const run = definition.run as (ctx: CallingContext, params: unknown, caller: unknown) => unknown;
  return {
    ...{ path: `${serverApiBase}/${path}`, summary, description, scope, write, rerun: rerun === true, refers: meant },
    params: params as unknown as z.ZodObject,
    fields: Object.keys(params.shape),
    result,
    alternatives,
    failures: failuresOf(meant, write, failures),
    unsure,
    perKey: perKeyPerMinute === undefined ? anyRequest : { name: path, perMinute: perKeyPerMinute },
    check(fields) {
      const checked = checkParams(params, fields) as Record<string, unknown>;
      requireOneOfEach(meant, checked);
      return checked;
    },
    async carryOut(ctx, checked, caller, directory) {
      const answer = await run(ctx, await resolved(meant, checked, directory), caller);
      return shownWithExternalIds(answer, directory);
    },
  };
}
