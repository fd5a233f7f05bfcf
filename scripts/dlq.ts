import { parseArgs } from "node:util";
import { connectNats } from "../broker/nats-connect.ts";
import { adminOptions } from "../broker/nats-options.ts";
import { type DeadLetter, DeadLetters } from "../mixins/jetstream/dead-letters.ts";
import { isOriginOfTable } from "../services/dead-letter-origins.ts";
import { printable } from "../services/dead-letter-text.ts";
import { requireNode } from "./node-version.ts";
import { runCommand } from "./outcome.ts";
import { useStackEnv } from "./stack/env-file.ts";
import { defaultStackDir } from "./stack/sites.ts";
import { messageOf } from "./stack/wait.ts";

const USAGE = `The dead letters: messages that a channel could not handle, stored with the reason. Of a
message that holds many gifts, each gift is a dead letter of its own.

  npm run dlq -- list           all of them, oldest first
  npm run dlq -- show SEQ       one, whole
  npm run dlq -- replay SEQ     put it back where it came from; it is handled again, once
  npm run dlq -- replay all     the same with all that are there now, but the forged ones
  npm run dlq -- replay SEQ --key-is-back
                                of one that was signed with an unknown key, once the nodes have that key again
  npm run dlq -- give-up SEQ --reason TEXT
                                remove it for good; it is written out first, as a line of JSON: keep that

A forged message was refused for its signature. It can only be given up, and so can one whose origin
no service reads.

SEQ is the number that list shows first. It needs a login that
may do everything at JetStream: NATS_ADMIN_URL, else NATS_URL, of the environment or else of .stack/env.`;

const shownChars = 200;

const textOf = ({ data }: DeadLetter) => printable(data);

/** The same for one line, as its subject and its headers are. */
const clean = (text: string) => text.replace(/\p{C}/gu, " ");

/** JSON that a terminal executes nothing of. */
function jsonOf(value: object): string {
  const escaped = (unit: string) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return JSON.stringify(value).replace(/\p{C}/gu, (char) => char.split("").map(escaped).join(""));
}

function excerpt(deadLetter: DeadLetter): string {
  const text = textOf(deadLetter).replace(/\s+/g, " ");
  return text.length > shownChars ? `${text.slice(0, shownChars)}…` : text;
}

/** Its place in its stream, and in its message where that holds many. */
function placeOf({ stream, streamSequence, item }: DeadLetter): string {
  return `${stream} ${streamSequence}${item === undefined ? "" : ` item ${item}`}`;
}

async function list(dead: DeadLetters): Promise<number> {
  let count = 0;
  for await (const deadLetter of dead.all()) {
    count++;
    const { sequence, time, channel, subject, reason, forged } = deadLetter;
    console.log(clean(`${sequence}  ${time.toISOString()}  ${channel}${forged ? `  FORGED (${forged})` : ""}`));
    console.log(clean(`    from    ${subject} (${placeOf(deadLetter)})`));
    console.log(clean(`    reason  ${reason}`));
    console.log(`    data    ${excerpt(deadLetter)}`);
  }
  console.log(count === 0 ? "no dead letters" : `${count} dead letter${count === 1 ? "" : "s"}`);
  return 0;
}

function kindOf({ forged }: DeadLetter): string {
  if (!forged) return "failed";
  if (forged === "unknownKey")
    return "forged or genuine (unknownKey): replay it with --key-is-back once its key is back";
  return `forged (${forged}): it can only be given up`;
}

async function show(dead: DeadLetters, sequence: number): Promise<number> {
  const deadLetter = await dead.find(sequence);
  if (!deadLetter) return unknown(sequence);
  for (const [name, value] of Object.entries({
    sequence,
    time: deadLetter.time.toISOString(),
    channel: deadLetter.channel,
    subject: deadLetter.subject,
    stream: placeOf(deadLetter),
    requestId: deadLetter.requestId ?? "",
    kind: kindOf(deadLetter),
    reason: deadLetter.reason,
  }))
    console.log(`${name.padEnd(10)} ${clean(String(value))}`);
  console.log(`\n${textOf(deadLetter)}`);
  return 0;
}

function unknown(sequence: number): number {
  console.error(`there is no dead letter ${sequence} (any more): npm run dlq -- list`);
  return 1;
}

async function replay(dead: DeadLetters, sequence: number, keyIsBack = false): Promise<number> {
  if (!(await dead.replay(sequence, isOriginOfTable, { keyIsBack }))) return unknown(sequence);
  console.log(`${sequence} is back in its stream`);
  return 0;
}

/** A message that cannot be put back does not stop the others. Forged ones are left out, which is no failure. */
async function replayAll(dead: DeadLetters): Promise<number> {
  const sequences: number[] = [];
  let forged = 0;
  let unknownKeys = 0;
  for await (const deadLetter of dead.all()) {
    if (deadLetter.forged === "unknownKey") unknownKeys++;
    else if (deadLetter.forged) forged++;
    else sequences.push(deadLetter.sequence);
  }
  let failed = 0;
  for (const sequence of sequences) {
    try {
      await replay(dead, sequence);
    } catch (error) {
      failed++;
      console.error(`${sequence} stays a dead letter: ${messageOf(error)}`);
    }
  }
  console.log(`${sequences.length - failed} of ${sequences.length} replayed`);
  if (forged > 0) console.log(`${forged} more ${forged === 1 ? "is" : "are"} forged and can only be given up`);
  if (unknownKeys > 0)
    console.log(`${unknownKeys} more with an unknown key: replay each with --key-is-back once its key is back`);
  return failed === 0 ? 0 : 1;
}

/** Writes the dead letter out before it is removed: afterwards this line is all that is left of it. */
async function giveUp(dead: DeadLetters, sequence: number, why: string): Promise<number> {
  const deadLetter = await dead.find(sequence);
  if (!deadLetter) return unknown(sequence);
  const { data, ...about } = deadLetter;
  const bytes = Buffer.from(data);
  const text = bytes.toString();
  const content = Buffer.from(text).equals(bytes) ? { data: text } : { dataBase64: bytes.toString("base64") };
  console.log(jsonOf({ givenUp: { ...about, ...content }, why, at: new Date().toISOString() }));
  if (!(await dead.remove(sequence))) return unknown(sequence);
  console.log(`${sequence} is given up`);
  return 0;
}

type Job = (dead: DeadLetters) => Promise<number>;

interface Options {
  readonly reason?: string;
  readonly keyIsBack?: boolean;
}

function jobOf([command, which, ...rest]: readonly string[], { reason, keyIsBack }: Options): Job | undefined {
  if (rest.length > 0 || (reason !== undefined) !== (command === "give-up")) return undefined;
  if (keyIsBack && (command !== "replay" || which === "all")) return undefined;
  if (command === "list" && which === undefined) return list;
  if (command === "replay" && which === "all") return replayAll;
  const sequence = /^[1-9]\d{0,15}$/.test(which ?? "") ? Number(which) : undefined;
  if (sequence === undefined) return undefined;
  if (command === "show") return (dead) => show(dead, sequence);
  if (command === "give-up" && reason?.trim()) return (dead) => giveUp(dead, sequence, reason.trim());
  return command === "replay" ? (dead) => replay(dead, sequence, keyIsBack) : undefined;
}

/** `undefined` where the command is not understood. */
function readCommand(args: string[]): Job | undefined {
  const options = { reason: { type: "string" }, "key-is-back": { type: "boolean" } } as const;
  // Tokens instead of strictness: a sequence like -1 is not understood, and no error of the parser's own.
  const { values, positionals, tokens } = parseArgs({
    ...{ args, options, allowPositionals: true, strict: false, tokens: true },
  });
  const isKnown = tokens.every((token) => token.kind !== "option" || Object.hasOwn(options, token.name));
  const { reason, "key-is-back": keyIsBack } = values;
  if (!isKnown || (reason !== undefined && typeof reason !== "string")) return undefined;
  return jobOf(positionals, { ...(reason !== undefined && { reason }), keyIsBack: keyIsBack === true });
}

async function main(): Promise<number> {
  requireNode();
  const job = readCommand(process.argv.slice(2));
  if (!job) {
    console.error(USAGE);
    return 2;
  }
  useStackEnv(defaultStackDir());
  const connection = await connectNats({
    ...adminOptions("dlq"),
    ...{ maxReconnectAttempts: 3, waitOnFirstConnect: false, ignoreAuthErrorAbort: false },
  });
  try {
    return await job(await DeadLetters.open(connection));
  } finally {
    await connection.close();
  }
}

runCommand(main);
