import { join } from "node:path";
import { replaceFile } from "../files.ts";
import { LOOPBACK } from "../ports.ts";
import { ask, checkUser, maxConnections } from "./mysql-access.ts";
import { type HaPorts, members } from "./ports.ts";
import { type HaPlace, type HaServer, haSite } from "./server.ts";

/** haproxy, the one address of the Galera cluster: all connections go to one node. */
export function proxyServer(place: HaPlace, ports: HaPorts): HaServer {
  const site = haSite(place, "proxy");
  const port = ports.proxy;

  /** The node that the proxy's next connection gets. */
  const writer = async () => {
    const [row] = await ask(place.stackDir, port, "SELECT @@wsrep_node_name AS name");
    return String(row?.name);
  };

  return {
    name: "proxy",
    kind: "proxy",
    port,
    site,
    plan: {
      title: "haproxy",
      programs: ["haproxy"],
      readyDeadlineMs: 30_000,
      stopDeadlineMs: 10_000,
      async prepareProcess() {
        const file = join(site.dir, "haproxy.cfg");
        replaceFile(file, proxySettings(ports));
        return { args: ["-db", "-f", file] };
      },
      probe: async () => void (await writer()),
      part: async () => `writes to ${await writer()}`,
      requireJoined: async () => void (await writer()),
    },
  };
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

/** A packet of MySQL's protocol. */
function packet(sequence: number, ...parts: (string | readonly number[])[]): string {
  const body = Buffer.concat(parts.map((part) => (typeof part === "string" ? Buffer.from(part) : Buffer.from(part))));
  const header = Buffer.from([body.length & 255, (body.length >> 8) & 255, body.length >> 16, sequence]);
  return hex(Buffer.concat([header, body]));
}

/** Long password, protocol 4.1, secure connection, named authentication; packets of 16 MB; utf8mb4. */
const loginHead = [0x01, 0x82, 0x08, 0x00, 0x00, 0x00, 0x00, 0x01, 0x2d, ...new Array<number>(23).fill(0)];
const login = packet(1, loginHead, `${checkUser}\0`, [0], "mysql_native_password\0");
/** A node that lost the others answers SELECT 1 like any other. */
const mayWrite = "may-write";
const question = packet(
  0,
  [3],
  `SELECT IF((SELECT COUNT(*) FROM information_schema.global_status WHERE (variable_name, variable_value) IN
    (('WSREP_READY', 'ON'), ('WSREP_CLUSTER_STATUS', 'Primary'), ('WSREP_LOCAL_STATE', '4'))) = 3
    AND NOT @@read_only, CONCAT('may-', 'write'), 'refuses') AS answer`,
);

/**
 * One writer, since two would meet at commit: the table has one entry, and all connections follow it to the node that
 * was chosen last, until that one is down. So a node that comes back gets no connections beside the one that writes.
 * `backup` makes the order of choice.
 */
function proxySettings(ports: HaPorts): string {
  const nodes = members.map(
    (n) => `  server mysql-${n} ${LOOPBACK}:${ports[`mysql-${n}`]} check${n === 1 ? "" : " backup"}`,
  );
  return `# Written at every start; changes here are lost.
global
  maxconn 2000
  nbthread 1
defaults
  mode tcp
  timeout connect 2s
  timeout check 1s
  # Connections of pools are idle for long, and the server ends them after eight hours.
  timeout client 9h
  timeout server 9h
  option clitcpka
  option srvtcpka
  # A connection that a node refuses goes to no other one while the node counts as up.
  retries 1
  no option redispatch
listen mysql
  bind ${LOOPBACK}:${ports.proxy}
  # Fewer than the nodes take: the checks need some.
  maxconn ${maxConnections - 20}
  stick-table type integer size 1 nopurge
  stick on int(1)
  option tcp-check
  tcp-check connect
  tcp-check expect string mysql_native_password
  tcp-check send-binary ${login}
  tcp-check expect binary 0700000200
  tcp-check send-binary ${question}
  tcp-check expect string ${mayWrite}
  default-server inter 500ms fastinter 200ms downinter 500ms fall 2 rise 2 on-marked-down shutdown-sessions
${nodes.join("\n")}
`;
}
