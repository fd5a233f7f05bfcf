import { connectNats } from "../broker/nats-connect.ts";
import { adminOptions } from "../broker/nats-options.ts";
import { type DeadLetter, DeadLetters } from "../mixins/jetstream/dead-letters.ts";
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
  npm run dlq -- replay all     the same with all that are there now

SEQ is the number that list shows first. It needs a login that
may do everything at JetStream: NATS_ADMIN_URL, else NATS_URL, of the environment or else of .stack/env.`;

const shownChars = 200;

/** A dead letter may contain anything: characters that a terminal would execute are replaced. */
function textOf(deadLetter: DeadLetter): string {
  return new TextDecoder().decode(deadLetter.data).replace(/[^\P{C}\n\t]/gu, " ");
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
    const { sequence, time, channel, subject, reason } = deadLetter;
    console.log(`${sequence}  ${time.toISOString()}  ${channel}`);
    console.log(`    from    ${subject} (${placeOf(deadLetter)})`);
    console.log(`    reason  ${reason}`);
    console.log(`    data    ${excerpt(deadLetter)}`);
  }
  console.log(count === 0 ? "no dead letters" : `${count} dead letter${count === 1 ? "" : "s"}`);
  return 0;
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
    reason: deadLetter.reason,
  }))
    console.log(`${name.padEnd(10)} ${value}`);
  console.log(`\n${textOf(deadLetter)}`);
  return 0;
}

function unknown(sequence: number): number {
  console.error(`there is no dead letter ${sequence} (any more): npm run dlq -- list`);
  return 1;
}

async function replay(dead: DeadLetters, sequence: number): Promise<number> {
  if (!(await dead.replay(sequence))) return unknown(sequence);
  console.log(`${sequence} is back in its stream`);
  return 0;
}

/** A message that cannot be put back does not stop the others. */
async function replayAll(dead: DeadLetters): Promise<number> {
  const sequences: number[] = [];
  for await (const { sequence } of dead.all()) sequences.push(sequence);
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
  return failed === 0 ? 0 : 1;
}

type Job = (dead: DeadLetters) => Promise<number>;

function jobOf([command, which, ...rest]: readonly string[]): Job | undefined {
  if (rest.length > 0) return undefined;
  if (command === "list" && which === undefined) return list;
  if (command === "replay" && which === "all") return replayAll;
  const sequence = /^[1-9]\d{0,15}$/.test(which ?? "") ? Number(which) : undefined;
  if (sequence === undefined) return undefined;
  if (command === "show") return (dead) => show(dead, sequence);
  return command === "replay" ? (dead) => replay(dead, sequence) : undefined;
}

async function main(): Promise<number> {
  requireNode();
  const job = jobOf(process.argv.slice(2));
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
