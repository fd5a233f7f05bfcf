import { parseArgs } from "node:util";
import type { ServiceBroker } from "moleculer";
import { consoleName } from "../broker/bus/subjects.ts";
import { failureName } from "../broker/failure.ts";
import { limits } from "../config/limits.ts";
import { call, type ResultOf } from "../services/contracts.ts";
import type { WrittenShare } from "../services/gift/work.contract.ts";
import { fromConsole } from "./console-node.ts";
import { requireNode } from "./node-version.ts";
import { runCommand } from "./outcome.ts";
import { type ShareChange, shareCommand, shareUsage, wrong } from "./share-command.ts";

const signedAs = {
  right: "",
  wrong: "  NOT SIGNED BY GIFT: gives no share",
  unknownKey: "  KEY NOT IN GIFT_BOOK_KEYS: her gifts are refused",
} as const;

/** Returns the exit code. */
async function show(broker: ServiceBroker, anchorId: string | undefined): Promise<number> {
  const about = anchorId === undefined ? {} : { anchorId };
  let isRight = true;
  let rows = 0;
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const page: ResultOf<"gift.shares"> = await call(broker, "gift.shares", {
      ...{ ...about, limit: limits.http.pageSizeMax },
      ...(cursor === undefined ? {} : { cursor }),
    });
    for (const one of page.list) print(one);
    isRight &&= page.list.every(({ verdict }) => verdict === "right");
    rows += page.list.length;
    cursor = page.nextCursor;
  }
  if (rows === 0)
    console.log(anchorId === undefined ? "no anchor has a share of her own" : `${anchorId} has the default`);
  return isRight ? 0 : 2;
}

function print(written: WrittenShare): void {
  const { anchorId, percent, from, operator, written: time, verdict, inForce } = written;
  const share = percent === null ? "default" : `${percent} %`;
  const state = `${inForce ? "  in force" : ""}${signedAs[verdict]}`;
  console.log(`${anchorId.padEnd(20)} ${share.padEnd(8)} from ${from}${state}  by ${operator}, ${time}`);
}

async function write(broker: ServiceBroker, { anchorId, percent, from }: ShareChange): Promise<number> {
  const operator = consoleName(broker.nodeID);
  const time = from?.toISOString();
  try {
    await call(broker, "gift.setShare", { anchorId, percent, operator, ...(time === undefined ? {} : { from: time }) });
  } catch (error) {
    if (time !== undefined && failureName(error) === "invalidParam")
      throw wrong(`${time} is over: gifts that were accepted keep their share`);
    throw error;
  }
  const share = percent === null ? "the default share" : `${percent} %`;
  console.log(`${anchorId} has ${share} from ${time ?? "now"} on; written for her:`);
  return show(broker, anchorId);
}

/** Calls the running system from a node without services. */
async function main(): Promise<number> {
  requireNode();
  const { values, positionals } = parseArgs({
    options: { from: { type: "string" }, as: { type: "string" }, help: { type: "boolean" } },
    allowPositionals: true,
  });
  if (values.help || positionals.length === 0) {
    console.log(shareUsage);
    return values.help ? 0 : 1;
  }
  const command = shareCommand(positionals, values.from);
  return fromConsole({ as: values.as, services: ["gift"] }, (broker) =>
    command.what === "list" ? show(broker, command.anchorId) : write(broker, command),
  );
}

runCommand(main);
