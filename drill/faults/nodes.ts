import { setTimeout as pause } from "node:timers/promises";
import type { DrillNode } from "../system/nodes.ts";
import { type Place, pauseOf, type ServerKind, uses } from "../system/places.ts";
import type { DrillRow, Fault, Underway } from "./fault.ts";

/** Longer than any lease in Redis, than others wait for a silent node, and than gifts may wait to be settled. */
const cutMs = 40_000;
const shiftMs = 30_000;
const shiftedForMs = 20_000;

/** The first node of a place; of im-servers the one with more viewers, who come to one node when the other has ended. */
async function broken({ nodes, viewersAt }: Underway, place: Place): Promise<DrillNode> {
  const [first, second] = [nodes.node(place.name, 1), nodes.node(place.name, 2)];
  if (!place.services.includes("im-server")) return first;
  const viewers = await viewersAt();
  const at = ({ latest }: DrillNode) => viewers[latest?.nodeId ?? ""] ?? 0;
  return at(second) > at(first) ? second : first;
}

const killed =
  (place: Place): Fault =>
  async (underway) => {
    const { nodes } = underway;
    const node = await broken(underway, place);
    const { starts } = node;
    nodes.signal(node, "SIGKILL");
    await nodes.untilStarted(node, starts + 1);
    await nodes.untilReady([node]);
    return undefined;
  };

const paused =
  (place: Place): Fault =>
  async (underway) => {
    const { nodes } = underway;
    const node = await broken(underway, place);
    const ms = pauseOf(place);
    nodes.signal(node, "SIGSTOP");
    try {
      await pause(ms);
    } finally {
      nodes.signal(node, "SIGCONT");
    }
    await nodes.untilReady([node]);
    return `for ${ms / 1_000} s`;
  };

const cutOff =
  (place: Place, kind: ServerKind): Fault =>
  async ({ nodes }) => {
    const node = nodes.node(place.name, 2);
    const wires = wiresOf(node);
    if ((await wires.made(kind)) === 0) throw new Error(`${node.label} has no connection to ${kind} that could be cut`);
    await wires.cut(kind);
    try {
      await pause(cutMs);
    } finally {
      await wires.mend(kind);
    }
    await nodes.untilReady([node]);
    return `for ${cutMs / 1_000} s`;
  };

function wiresOf({ wires, label }: DrillNode) {
  if (!wires) throw new Error(`${label} has no wires`);
  return wires;
}

const clocksShifted =
  (ms: number): Fault =>
  async ({ nodes }) => {
    nodes.shiftClocks(ms);
    try {
      await pause(shiftedForMs);
    } finally {
      nodes.shiftClocks(0);
    }
    await nodes.untilReady(nodes.all);
    return `for ${shiftedForMs / 1_000} s: what JavaScript reads of the clock`;
  };

const serverNames: Readonly<Record<ServerKind, string>> = { nats: "NATS", mysql: "MySQL", redis: "Redis" };

/** Of each place: one of its two nodes killed, paused, and cut off from the servers of one kind. */
export function nodeRows(places: readonly Place[]): DrillRow[] {
  const ofKind = (kind: ServerKind): DrillRow[] =>
    places
      .filter((place) => uses(place, kind))
      .map((place) => ({
        name: `cut-${place.name}-${kind}`,
        title: `${place.name} cut off from ${serverNames[kind]}`,
        fault: cutOff(place, kind),
        needsWires: true,
      }));
  return [
    ...places.map((place) => ({
      name: `kill-${place.name}`,
      title: `${place.name} killed`,
      fault: killed(place),
      isShort: place.name === "wallet" || place.name === "all",
    })),
    ...places.map((place) => ({ name: `pause-${place.name}`, title: `${place.name} paused`, fault: paused(place) })),
    ...ofKind("nats"),
    ...ofKind("mysql"),
    ...ofKind("redis"),
    {
      name: "clock-ahead",
      title: "clocks of all second nodes 30 s ahead",
      fault: clocksShifted(shiftMs),
      needsWires: true,
    },
    {
      name: "clock-behind",
      title: "clocks of all second nodes 30 s behind",
      fault: clocksShifted(-shiftMs),
      needsWires: true,
    },
  ];
}
