import type { CallOptions } from "./transport.ts";

/**
 * Types and functions of the operations of a document: `api.gift.order({ orderId })` is POST BASE/gift/order, with the
 * params and the `data` that the document states.
 */

type OperationAt<Paths, Path> = Path extends keyof Paths
  ? Paths[Path] extends { post: infer Operation }
    ? Operation
    : never
  : never;

type BodyOf<Operation> = Operation extends { requestBody?: infer Body }
  ? NonNullable<Body> extends { content: { "application/json": infer Params } }
    ? Params
    : never
  : never;

type AnswerOf<Operation> = Operation extends {
  responses: { 200: { content: { "application/json": infer Answer } } };
}
  ? Answer
  : never;

/** The params of the operation at a path. */
export type ParamsAt<Paths, Path extends keyof Paths> = BodyOf<OperationAt<Paths, Path>>;
/** The `data` of a success of the operation at a path. */
export type DataAt<Paths, Path extends keyof Paths> =
  Extract<AnswerOf<OperationAt<Paths, Path>>, { code: 200 }> extends { data: infer Data } ? Data : never;

type Call<Params, Data, Options> = [Params] extends [never]
  ? (params?: Record<string, never>, options?: Options) => Promise<Data>
  : Record<string, never> extends Params
    ? (params?: Params, options?: Options) => Promise<Data>
    : (params: Params, options?: Options) => Promise<Data>;

type AreaOf<Path, Base extends string> = Path extends `${Base}/${infer Area}/${string}` ? Area : never;
type NameOf<Path, Base extends string, Area extends string> = Path extends `${Base}/${Area}/${infer Name}`
  ? Name
  : never;

/** All operations under `Base`, by area and name. */
export type Api<Paths, Base extends string, Options = CallOptions> = {
  readonly [Area in AreaOf<keyof Paths, Base>]: {
    readonly [Name in NameOf<keyof Paths, Base, Area>]: `${Base}/${Area}/${Name}` extends infer Path extends keyof Paths
      ? Call<ParamsAt<Paths, Path>, DataAt<Paths, Path>, Options>
      : never;
  };
};

/** The functions for `Api`: `operations` are the paths after the base, `area/name`. */
export function apiOf<Made>(
  operations: readonly string[],
  call: (operation: never, params: unknown, options?: never) => Promise<unknown>,
): Made {
  const api: Record<string, Record<string, unknown>> = {};
  for (const operation of operations) {
    const [area = "", name = ""] = operation.split("/");
    api[area] ??= {};
    api[area][name] = (params: unknown, options: unknown) => call(operation as never, params, options as never);
  }
  return api as Made;
}
