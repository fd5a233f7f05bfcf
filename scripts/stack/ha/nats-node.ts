import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Host } from "../host.ts";
import { probeNats, writeConfiguration } from "../nats.ts";
import { adminLogin } from "../nats-accounts.ts";
import { passwordOf, prepareAccounts } from "../nats-users.ts";
import { LOOPBACK } from "../ports.ts";
import { markOf } from "../server.ts";
import { becomesTrue } from "../wait.ts";
import { type HaPorts, type MemberNumber, members } from "./ports.ts";
import { type HaPlace, type HaServer, haSite } from "./server.ts";

const answerMs = 2000;

/** Where the logins of all servers are, those of the single server of this folder too. */
export const natsDirOf = (stackDir: string) => join(stackDir, "nats");

/** What `/jsz` says of the group that places streams. */
interface JetStreamState {
  meta_cluster?: {
    leader?: string;
    replicas?: { name: string; current: boolean; offline?: boolean }[] | null;
  };
}

/** Lets a server read its configuration again; resolves when it has, or does not answer for `answerMs`. */
export async function reloadNats(ports: HaPorts, n: MemberNumber, host: Pick<Host, "reload">): Promise<void> {
  const loadedAt = async () => {
    const answer = await fetch(`http://${LOOPBACK}:${ports[`nats-${n}-monitor`]}/varz`, {
      signal: AbortSignal.timeout(answerMs),
    });
    return ((await answer.json()) as { config_load_time?: string }).config_load_time;
  };
  const former = await loadedAt().catch(() => undefined);
  await host.reload();
  await becomesTrue(
    () =>
      loadedAt()
        .then((at) => at !== former)
        .catch(() => false),
    answerMs,
  );
}

/** A nats-server of a cluster of three, with JetStream, so that a stream has a replica on each. */
export function natsNode(place: HaPlace, ports: HaPorts, n: MemberNumber): HaServer {
  const name = `nats-${n}` as const;
  const site = haSite(place, name);
  const [port, monitor] = [ports[name], ports[`${name}-monitor`]];
  const natsDir = natsDirOf(place.stackDir);

  const ask = async (path: string): Promise<Response> =>
    fetch(`http://${LOOPBACK}:${monitor}${path}`, { signal: AbortSignal.timeout(answerMs) });
  const state = async () => (await (await ask("/jsz")).json()) as JetStreamState;

  return {
    name,
    kind: "nats",
    port,
    site,
    plan: {
      title: `NATS ${n}`,
      programs: ["nats-server"],
      readyDeadlineMs: 60_000,
      stopDeadlineMs: 15_000,
      async prepareProcess() {
        const store = join(site.dir, "store");
        mkdirSync(store, { recursive: true });
        const files = { store, pidFile: join(site.dir, "pid") };
        await prepareAccounts(natsDir);
        const more = clusterBlocks(place.stackDir, ports, n);
        const at = { name: site.mark, host: LOOPBACK, port, ...files, more };
        return { args: ["-c", await writeConfiguration(natsDir, `${name}.conf`, at)] };
      },
      probe: () => probeNats(natsDir, site.mark, port),
      async part() {
        const { meta_cluster: group } = await state();
        if (!group?.leader) return "no leader";
        return group.leader === site.mark ? "meta leader" : "meta follower";
      },
      async requireJoined() {
        const health = await ask("/healthz");
        if (!health.ok) throw new Error(`/healthz answers ${health.status}: ${healthError(await health.text())}`);
        const { meta_cluster: group } = await state();
        if (!group?.leader) throw new Error("JetStream has no leader");
      },
    },
  };
}

/** The error that /healthz names; its JSON writes the ">" between names as an escape. */
export function healthError(text: string): string {
  try {
    const { error } = JSON.parse(text) as { error?: unknown };
    return typeof error === "string" ? error : text;
  } catch {
    return text;
  }
}

/** The routes between the servers have a login of their own, which is the administrator's password. */
function clusterBlocks(stackDir: string, ports: HaPorts, n: MemberNumber): string {
  const password = passwordOf(natsDirOf(stackDir), adminLogin);
  const routes = members.map((other) => `"nats://route:${password}@${LOOPBACK}:${ports[`nats-${other}-route`]}"`);
  return `# Health and leaders, for people and scripts of this machine.
http: "${LOOPBACK}:${ports[`nats-${n}-monitor`]}"
cluster {
  name: ${JSON.stringify(markOf(stackDir))}
  listen: "${LOOPBACK}:${ports[`nats-${n}-route`]}"
  authorization { user: route, password: "${password}", timeout: 5 }
  routes: [${routes.join(", ")}]
}
`;
}
