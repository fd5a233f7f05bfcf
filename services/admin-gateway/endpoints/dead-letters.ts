import { z } from "zod";
import { call } from "../../contracts.ts";
import { fromHttp, pageOf, yesOrNo } from "../../http-fields.ts";
import { provisionerActions } from "../../provisioner/provisioner.contract.ts";
import { letterDecision, staffDeadLetterActions } from "../../staff/dead-letters.contract.ts";
import { staffEndpoint } from "./endpoint.ts";

const letter = {
  id: z.int(),
  time: z.string().meta({ description: "When it became a dead letter." }),
  channel: z.string().meta({ description: "The consumer that could not handle it." }),
  subject: z.string(),
  orderId: z.string().nullable().meta({ description: "The order that its body names, if it names one." }),
  forged: z.boolean().meta({ description: "It was refused for its signature." }),
  unknownKey: z.boolean().meta({
    description: "Of a forged one: its key is unknown, so that it may be genuine; it is replayed with keyIsBack.",
  }),
  size: z.int().meta({ description: "Bytes." }),
};

const shownLetter = z.object({
  ...letter,
  reason: z.string().meta({ description: "Why it could not be handled." }),
});

const shownHandled = z.object({
  ...letter,
  handledId: z.string(),
  deadReason: z.string().meta({ description: "Why it could not be handled." }),
  decision: letterDecision,
  state: z.enum(["begun", "done"]).meta({ description: "begun: it may be done; the same decision again does it." }),
  by: z.string(),
  reason: z.string(),
  beginTime: z.string(),
  doneTime: z.string().nullable(),
  body: z.string().nullable().meta({ description: "Of one that was given up." }),
});

/** For the audit. */
const about = ({ id }: { id: number }) => `deadLetter:${id}`;

export const deadLetterEndpoints = [
  staffEndpoint({
    path: "deadLetters/list",
    summary: "Messages that could not be handled, the oldest first",
    right: "read",
    params: fromHttp(provisionerActions.deadLetters),
    result: pageOf(shownLetter),
    run: (ctx, params) => call(ctx, "provisioner.deadLetters", params),
  }),

  staffEndpoint({
    path: "deadLetters/get",
    summary: "A dead letter with its body as text, without signature and secrets",
    right: "read",
    params: fromHttp(provisionerActions.deadLetter),
    about,
    result: z.object({
      ...shownLetter.shape,
      orderIds: z.array(z.string()).meta({ description: "All orders that its body names." }),
      body: z.string(),
      bodyCut: z.boolean().meta({ description: "The body goes on." }),
    }),
    failures: ["deadLetterGone"],
    run: (ctx, params) => call(ctx, "provisioner.deadLetter", params),
  }),

  staffEndpoint({
    path: "deadLetters/replay",
    summary: "Puts a dead letter back into its stream, where it is handled again, once; a forged one is refused",
    description: "`keyIsBack`: of one with an unknown key, once the nodes know the key again.",
    right: "deadLetters",
    params: { ...fromHttp(staffDeadLetterActions.replayDeadLetter, "session"), keyIsBack: yesOrNo.default(false) },
    about,
    result: shownHandled,
    failures: ["deadLetterGone", "deadLetterRefused"],
    run: (ctx, params, { session }) => call(ctx, "staff.replayDeadLetter", { ...params, session }),
  }),

  staffEndpoint({
    path: "deadLetters/giveUp",
    summary: "Gives a dead letter up for ever; its bytes, the person and the reason are kept",
    right: "deadLetters",
    params: fromHttp(staffDeadLetterActions.giveUpDeadLetter, "session"),
    about,
    result: shownHandled,
    failures: ["deadLetterGone", "deadLetterRefused"],
    run: (ctx, params, { session }) => call(ctx, "staff.giveUpDeadLetter", { ...params, session }),
  }),

  staffEndpoint({
    path: "deadLetters/handled",
    summary: "Dead letters that were replayed or given up, by whom and why, the latest first; of all or of an order",
    right: "read",
    params: fromHttp(staffDeadLetterActions.handledDeadLetters),
    result: pageOf(shownHandled),
    run: (ctx, params) => call(ctx, "staff.handledDeadLetters", params),
  }),
];
