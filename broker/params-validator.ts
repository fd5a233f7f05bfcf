import { Validators } from "moleculer";

type Problem = Record<string, unknown>;
type Check = (params: unknown, context: object) => true | Problem[];

const unreadable: Problem = { type: "unreadable", field: "params", message: "The params cannot be read." };

/**
 * Moleculer's validator for params that another node has sent: whatever they are, the answer is a validation error. The
 * one it is made of throws on some (it writes values into its messages and converts them), which would be a fault of the
 * action. Its problems carry no values: they go into logs and back to the caller, and may be secret, large or deep.
 */
export class ParamsValidator extends Validators.Fastest {
  constructor() {
    // A number that is not safe is no number of ours; a contract may say less.
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
