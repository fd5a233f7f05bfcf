import { EventEmitter } from "node:events";
import type { Service } from "moleculer";
import { registryEvents } from "../../../broker/service-nodes.ts";
import type { Channel } from "../../../mixins/jetstream/channel.ts";
import { keepShare } from "../../../mixins/jetstream/keep-share.ts";

/** Who pulls where a node cannot do its work. */

const settled = () => new Promise((resolve) => setImmediate(resolve));

function nodeAmong(others: readonly string[]) {
  const unable = new Set<string>();
  const done: string[] = [];
  const localBus = new EventEmitter();
  const metadataOf = (id: string) => ({ unable: unable.has(id) ? ["gift"] : [] });
  const nodes = new Set(["own", ...others]);
  const broker = {
    nodeID: "own",
    localBus,
    get metadata() {
      return metadataOf("own");
    },
    registry: {
      getServiceList: () => [...nodes].map((nodeID) => ({ name: "gift", nodeID })),
      getNodeList: () => [...nodes].map((id) => ({ id, metadata: metadataOf(id) })),
    },
  };
  const channel = {
    partitions: 0,
    pull: async (share: number[]) => void done.push(`pull ${share.join()}`),
    leave: async () => void done.push("leave"),
  } as unknown as Channel;
  const service = { broker, name: "gift", logger: { error: () => {} } } as unknown as Service;
  const listener = keepShare(service, channel);
  return {
    nodes,
    done,
    async says(id: string, isUnable: boolean) {
      if (isUnable) unable.add(id);
      else unable.delete(id);
      localBus.emit(registryEvents[0]);
      await settled();
    },
    async changed() {
      localBus.emit(registryEvents[0]);
      await settled();
    },
    stop: () => {
      for (const event of registryEvents) localBus.off(event, listener);
    },
  };
}

test("a node that cannot leaves its share to another that can, and pulls again when it can", async () => {
  const { done, says } = nodeAmong(["other"]);
  expect(done).toEqual(["pull 0"]);
  await says("own", true);
  expect(done).toEqual(["pull 0", "leave"]);
  await says("own", false);
  expect(done).toEqual(["pull 0", "leave", "pull 0"]);
});

test("the only node keeps its share, and so does each where none can", async () => {
  const alone = nodeAmong([]);
  await alone.says("own", true);
  expect(alone.done).not.toContain("leave");
  const { done, says } = nodeAmong(["other"]);
  await says("other", true);
  await says("own", true);
  expect(done).not.toContain("leave");
});

test("a node that has left does not come back because it hears of no other any more", async () => {
  const { nodes, done, says, changed } = nodeAmong(["other"]);
  await says("own", true);
  nodes.delete("other");
  await changed();
  expect(done).toEqual(["pull 0", "leave"]);
});

test("a service that stopped while it left pulls nothing afterwards", async () => {
  const { done, says, stop } = nodeAmong(["other"]);
  const leaving = says("own", true);
  stop();
  await leaving;
  await settled();
  expect(done).toEqual(["pull 0", "leave"]);
});
