import { Validators } from "moleculer";

type Problem = Record<string, unknown>;
type Check = (params: unknown, context: object) => true | Problem[];

const unreadable: Problem = { type: "unreadable", field: "params", message: "The params cannot be read." };

/**
 * Moleculer's validator for params that another node has sent: invalid params of any kind are a validation error.
 * fastest-validator throws on some, since it converts values and writes them into its messages; that would be a fault
 * of the action. The problems carry no values: they go into logs and to the caller, and values may be secret, large or
 * deep.
 */
export class ParamsValidator extends Validators.Fastest {
  constructor() {
    // By default a number lies within the safe integers; a contract may narrow that.
    super({ defaults: { number: { min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER } } } as never);
  }

  override compile(schema: Record<string, unknown>): never {
    const check = super.compile(schema) as unknown as Check;
    const checkSafely: Check = (params, context) => {
      try {
        const problems = check(params, context);
        return problems === true || problems.map(({ actual: _actual, ...problem }) => problem);
      } catch {
        return [{ ...unreadable }];
      }
    };
    return checkSafely as never;
  }
}
