/** Users in rooms, each with the published client, in a separate process. */
import { WebSocket } from "ws";
import { createImClient, type ImClient } from "../../public/js/im-client.js";
import { HttpConnection } from "../load/http-connection.ts";
import type { CrowdCommand, CrowdReport, Member, Online, SentToRooms } from "./crowd.ts";
import { noReport } from "./crowd.ts";

interface Client extends Member {
  client: ImClient;
  node: string;
  onlineAt: number;
  /** The tags of the orders that were shown: all orders of a benchmark have different ones. */
  shown: Set<string>;
  /** The sum of the shown counts. */
  sum: number;
  duplicates: number;
  gaps: number;
}

const localAddress = process.argv[2] as string;
const clients: Client[] = [];
const setbacks: Record<string, number> = {};
let apiPort = 0;

/** From one source address, whichever process this is. */
class LocalSocket extends WebSocket {
  constructor(url: string) {
    super(url, { perMessageDeflate: false, localAddress });
  }
}

/**
 * POST im/getImConfig with the session's token, as the page does. Each time on a new connection, since a viewer who has
 * watched for a while has no open one.
 */
async function imConfig(session: string): Promise<{ token: string; wsImServerAddress: string }> {
  const connection = await HttpConnection.open("127.0.0.1", apiPort);
  try {
    const { status, body } = await connection.ask(
      `POST /live/api/im/getImConfig HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${session}\r\n` +
        "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
    );
    const { code, data } = JSON.parse(body);
    if (code !== 200) throw new Error(`getImConfig: ${status} ${code}`);
    return data;
  } finally {
    connection.close();
  }
}

/** The reason without its variable parts. */
function reasonOf({ error, code, reason }: { error?: unknown; code?: number; reason?: string }): string {
  if (error instanceof Error) return (error as NodeJS.ErrnoException).code ?? error.message;
  return `closed ${code ?? ""} ${reason ?? ""}`.trim();
}

function open(person: Member): void {
  const state = { node: "", onlineAt: 0, shown: new Set<string>(), sum: 0, duplicates: 0, gaps: 0 };
  const client = createImClient({
    WebSocket: LocalSocket,
    rememberedIds: 2_000,
    version: 2,
    async url() {
      const { token, wsImServerAddress } = await imConfig(person.session);
      return `${wsImServerAddress}?token=${token}&roomId=${person.roomId}`;
    },
  });
  const one: Client = { ...person, ...state, client };
  clients.push(one);
  client.on("login", ({ nodeId }) => {
    one.node = nodeId;
    one.onlineAt = Date.now();
  });
  client.on("state", (now) => {
    if (now.state !== "waiting" && now.state !== "stopped") return;
    const reason = now.state === "stopped" ? `stopped: ${reasonOf(now)}` : reasonOf(now);
    setbacks[reason] = (setbacks[reason] ?? 0) + 1;
  });
  client.on("gap", () => one.gaps++);
  client.on("business", ({ data }) => {
    for (const { orderTags, count } of data.gifts ?? []) {
      one.sum += count;
      for (const tag of orderTags) {
        if (one.shown.has(tag)) one.duplicates++;
        one.shown.add(tag);
      }
    }
  });
  client.connect();
}

function online(): Online {
  const nodes: Online["nodes"] = {};
  for (const { client, node } of clients) if (client.state === "online") nodes[node] = (nodes[node] ?? 0) + 1;
  return { nodes, gone: clients.filter(({ client }) => client.state === "stopped").length };
}

function report(sent: SentToRooms): CrowdReport {
  const all = { ...noReport(), setbacks };
  for (const { client, shown, sum: seen, roomId, duplicates, gaps, onlineAt } of clients) {
    const { orders = 0, sum = 0 } = sent.get(roomId) ?? {};
    all.onlineAt.push(client.state === "online" ? onlineAt : 0);
    all.missed += Math.max(0, orders - shown.size);
    if (seen !== sum) all.off++;
    all.duplicates += duplicates;
    all.gaps += gaps;
  }
  return all;
}

function carryOut(command: CrowdCommand): unknown {
  if (command.do === "online") return online();
  if (command.do === "report") return report(command.sent);
  apiPort = command.apiPort;
  for (const member of command.members) open(member);
  return null;
}

process.on("message", (command: CrowdCommand) => process.send?.(carryOut(command)));
process.on("disconnect", () => process.exit());
