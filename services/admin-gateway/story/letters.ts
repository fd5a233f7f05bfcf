import { natsPrefix } from "../../../config/config.ts";
import type { HandledDeadLetter } from "../../staff/dead-letters.contract.ts";
import type { Step, Story, StoryParts } from "./story.ts";

/**
 * What persons decided about the dead letters of an order. The letter itself is gone from the stream once they have, and
 * with one that is given up goes all that the other services may know of the order. Pure.
 */

/** Where it came from, without the namespace's prefix. */
const originOf = ({ subject }: HandledDeadLetter): string => subject.slice(natsPrefix().length);

/** Of which kind an order is that no service knows, by where its dead letters came from. */
export function kindByLetters(letters: StoryParts["letters"]): Story["kind"] | undefined {
  const [latest] = letters ?? [];
  if (!latest) return undefined;
  return /^(event\.payment|pay)\./.test(originOf(latest)) ? "payment" : "gift";
}

/** Whether it is the order itself that could not be handled, and not what others read of it. */
const isOfOrder = (letter: HandledDeadLetter): boolean => /^(gift\.send|pay)\./.test(originOf(letter));

/**
 * The state by the latest decision about the order's own dead letters; `undefined` where there is none. Of one that was
 * put back its service knows the state.
 */
export function stateByLetters(letters: StoryParts["letters"]): "givenUp" | "deadLetter" | undefined {
  const latest = letters?.find(isOfOrder);
  if (!latest) return undefined;
  if (latest.state === "begun") return "deadLetter";
  return latest.decision === "giveUp" ? "givenUp" : undefined;
}

/** The steps of these dead letters, the latest decision last. */
export function letterSteps(letters: StoryParts["letters"]): Step[] {
  return (letters ?? []).toReversed().map(letterStep);
}

function letterStep(letter: HandledDeadLetter): Step {
  const { id, time, deadReason, channel, decision, state, by, doneTime, reason } = letter;
  const decided = decision === "replay" ? "done" : "failed";
  return {
    ...{ what: "deadLetter", time, state: state === "begun" ? "waiting" : decided, service: "staff" },
    data: { id, channel, reason: deadReason, decision, state, by, doneTime, decisionReason: reason },
  };
}
