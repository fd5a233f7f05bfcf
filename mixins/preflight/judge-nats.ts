import { limits } from "../../config/limits.ts";
import { type Finding, isAtLeast, oldVersion, type Severity } from "./checks.ts";

/** What durability rests on at NATS. Pure. */

export interface NatsSeen {
  /** Where the login was tried. */
  readonly server: string;
  readonly servers: readonly NatsServerSeen[];
  /** The streams that the login sees; none where they are not made yet. */
  readonly streams: readonly { readonly name: string; readonly replicas: number; readonly storage: string }[];
  /** `JETSTREAM_REPLICAS`, with which missing streams will be made; left out where the login makes or sees no stream. */
  readonly wantedReplicas?: number;
  /** The process has a provisioner: it brings the streams that are there to `wantedReplicas`, too. */
  readonly provisions?: true;
}

/** One server, all of the cluster or the one that answered. */
export interface NatsServerSeen {
  readonly name: string;
  readonly version: string;
  /** `always`, or milliseconds; left out where the login cannot see it. */
  readonly sync?: "always" | number;
}

export function judgeNats(seen: NatsSeen): Finding[] {
  const versions = seen.servers.flatMap(({ name, version }) =>
    oldVersion({
      ...{ check: "nats.version", server: `${seen.server} (${name})`, version, what: "nats-server", severity: "money" },
      least: limits.preflight.versions.nats,
    }),
  );
  return [...versions, ...judgeReload(seen), ...judgeCopies(seen), ...judgeStorage(seen), ...judgeSync(seen)];
}

function judgeReload({ server, servers }: NatsSeen): Finding[] {
  const { natsWithSafeReload: least } = limits.preflight;
  const old = servers.filter(({ version }) => isAtLeast(version, least) === false);
  if (old.length === 0) return [];
  return [
    {
      ...{ check: "nats.reload", severity: "speed", server },
      found: listed(old.map(({ name, version }) => `nats-server ${version} (${name})`)),
      wanted: `nats-server ${least} or newer`,
      risk: "after a reload of its configuration JetStream may answer no service until the next reload",
      repair: `upgrade nats-server to ${least} or newer; until then, reload it again while readiness is not 200`,
    },
  ];
}

const listed = (names: readonly string[]) =>
  names.length <= 3 ? names.join(", ") : `${names.slice(0, 3).join(", ")} and ${names.length - 3} more`;

/** The copies that the fewest-copied stream has, or will have: a provisioner takes copies away, too. */
function copiesOf({ streams, wantedReplicas, provisions }: NatsSeen): number | undefined {
  if (streams.length === 0) return wantedReplicas;
  return Math.min(...streams.map(({ replicas }) => replicas), ...(provisions ? [wantedReplicas ?? 1] : []));
}

function judgeCopies(seen: NatsSeen): Finding[] {
  const copies = copiesOf(seen);
  const wanted = limits.preflight.streamReplicas;
  if (copies === undefined || copies >= wanted) return [];
  const few = seen.streams.filter(({ replicas }) => replicas === copies).map(({ name }) => name);
  const alone = copies <= 1;
  const toBe = `JETSTREAM_REPLICAS=${copies}, ${seen.streams.length > 0 ? "to which this provisioner brings the streams" : "for streams to be made"}`;
  return [
    {
      ...{ check: "nats.replicas", severity: alone ? "money" : "speed", server: seen.server },
      found: few.length > 0 ? `${copies} of ${listed(few)}` : toBe,
      wanted: `${wanted} on a cluster of ${wanted} servers`,
      risk: alone
        ? "accepted gifts and paid orders that wait in a stream are lost with the disk of that server"
        : "the streams refuse everything while one of the two servers is away",
      repair: `run ${wanted} nats-servers as a cluster and set JETSTREAM_REPLICAS=${wanted} for every node`,
    },
  ];
}

function judgeStorage({ server, streams }: NatsSeen): Finding[] {
  const fleeting = streams.filter(({ storage }) => storage !== "file").map(({ name }) => name);
  if (fleeting.length === 0) return [];
  return [
    {
      ...{ check: "nats.storage", severity: "money", server },
      found: `${listed(fleeting)} in memory`,
      wanted: "every stream in files",
      risk: "accepted gifts and paid orders that wait in a stream are lost with a restart of the server",
      repair: "once it is empty, delete the stream (nats stream rm NAME): a provisioner node makes it again, in files",
    },
  ];
}

/** The sync of a server: older ones have one interval and no setting for it. */
const syncOf = ({ sync, version }: NatsServerSeen) =>
  sync ??
  (isAtLeast(version, limits.preflight.natsWithSyncInterval) === false ? limits.preflight.natsSyncMs : undefined);

const syncRepair =
  'in the block jetstream of each server: sync_interval: "always" (nats-server 2.10 and newer), as docker/nats.conf has it';

function judgeSync(seen: NatsSeen): Finding[] {
  const copies = copiesOf(seen);
  // A login that sees no stream does not depend on one.
  if (copies === undefined) return [];
  const syncs = seen.servers.map((one) => ({ ...one, sync: syncOf(one) }));
  const late = syncs.filter(({ sync }) => typeof sync === "number");
  const about = { check: "nats.sync", server: seen.server, wanted: "always" } as const;
  if (late.length > 0) {
    const severity: Severity = copies > 1 ? "note" : "money";
    const where = late.map(({ name, version, sync }) => `every ${Number(sync) / 1_000} s at ${name} (${version})`);
    return [
      {
        ...{ ...about, severity, found: listed(where), repair: syncRepair },
        risk:
          copies > 1
            ? "accepted gifts of that long are lost where all servers lose their power at once: keep them apart"
            : "accepted gifts of that long are lost where the server loses its power",
      },
    ];
  }
  if (syncs.every(({ sync }) => sync === "always")) return [];
  return [
    {
      ...{ ...about, severity: "note", found: "cannot be seen by this login" },
      risk: "with the default, two minutes, a power failure loses accepted gifts that one server alone has",
      repair: `run npm run preflight with NATS_ADMIN_URL, or look: ${syncRepair}`,
    },
  ];
}
