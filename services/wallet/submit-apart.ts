import { isUnavailable } from "../../broker/failure.ts";
import type { Command, Outcome } from "./posting.ts";
import type { LedgerCommands } from "./writer-ports.ts";

/**
 * Submits the commands of each key together, those of all keys at once. Returns the outcome of each command, in their order,
 * or why those of its key have none: then some of them may be written.
 */
export async function submitByKey<Key>(
  commands: readonly Command[],
  keyOf: (command: Command) => Key,
  submit: (commands: readonly [Command, ...Command[]], key: Key) => Promise<readonly Outcome[]>,
): Promise<PromiseSettledResult<Outcome>[]> {
  const results = new Array<PromiseSettledResult<Outcome>>(commands.length);
  const groups = Map.groupBy(commands.keys(), (at) => keyOf(commands[at] as Command));
  await Promise.all(
    [...groups].map(async ([key, places]) => {
      const own = places.map((at) => commands[at] as Command) as [Command, ...Command[]];
      const [answer] = await Promise.allSettled([submit(own, key)]);
      for (const [n, at] of places.entries())
        results[at] =
          answer.status === "rejected" ? answer : { status: "fulfilled", value: answer.value[n] as Outcome };
    }),
  );
  return results;
}

/**
 * As `submitAll` of a writer, but where some users' commands cannot be written now those of the others are: of each command
 * its outcome, or why it has none. Commands of a user stand or fall together. Never rejects.
 */
export function submitApart(
  writer: LedgerCommands,
  commands: readonly Command[],
): Promise<PromiseSettledResult<Outcome>[]> {
  if (writer.submitApart) return writer.submitApart(commands);
  return submitByKey(
    commands,
    ({ userId }) => userId,
    (own) => writer.submitAll(own),
  );
}

/** All outcomes. @throws the reason why a command has none; of several one that is no outage, which a repeat would not mend */
export function allOutcomes(results: readonly PromiseSettledResult<Outcome>[]): Outcome[] {
  const reasons = results.flatMap((result) => (result.status === "rejected" ? [result.reason as unknown] : []));
  if (reasons.length > 0) throw reasons.find((reason) => !isUnavailable(reason)) ?? reasons[0];
  return results.map((result) => (result as PromiseFulfilledResult<Outcome>).value);
}
