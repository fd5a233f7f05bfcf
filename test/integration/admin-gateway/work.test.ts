import type { ServiceBroker } from "moleculer";
import { fail } from "../../../broker/failure.ts";
import { serviceNames } from "../../../broker/service-names.ts";
import { limits } from "../../../config/limits.ts";
import type { Figures } from "../../../services/admin-gateway/figures/figures.ts";
import { eventually, stopAll } from "../../support/system.ts";
import { answers, calls, forget, send, startNeighbours } from "../api-gateway/neighbours.ts";
import { byBearer, startAdminGateway } from "./admin-node.ts";

/** Figures, API keys, webhooks and dead letters at the staff's door. */

let neighbours: ServiceBroker;
let base = "";

beforeAll(async () => {
  neighbours = await startNeighbours();
  ({ base } = await startAdminGateway());
});
beforeEach(forget);
afterAll(stopAll);

const post = (path: string, body: object = {}, role: Parameters<typeof byBearer>[0] = "admin") =>
  send(`${base}/live/admin/${path}`, { headers: byBearer(role), body });
const of = (action: string) => calls.filter((call) => call.action === action);
const figures = async () => (await post("figures", {}, "viewer")).data as Figures;
/** Those of a later look than the last one which are as wanted: a node that is busy is missing from some. */
async function freshFigures(isWanted: (found: Figures) => boolean): Promise<Figures> {
  const { time } = await figures();
  return eventually(
    "fresh figures",
    async () => {
      const fresh = await figures();
      return fresh.time !== time && isWanted(fresh) ? fresh : undefined;
    },
    20_000,
  );
}
const giftIn = ({ services }: Figures) => services.find(({ name }) => name === "gift");

test("the figures have every service with its nodes and the numbers of each part", async () => {
  const found = await freshFigures((one) => {
    const [node] = giftIn(one)?.nodes ?? [];
    return one.missing.length === 0 && node?.ready === true && node.memoryBytes !== null;
  });
  expect(found.services.map(({ name }) => name)).toEqual([...serviceNames]);
  const gift = giftIn(found);
  expect(gift).toMatchObject({ ready: true, nodes: [{ nodeId: neighbours.nodeID, ready: true, problem: null }] });
  const [node] = gift?.nodes ?? [];
  expect(node?.memoryBytes).toBeGreaterThan(1_000_000);
  expect(node?.uptimeS).toBeGreaterThanOrEqual(0);
  expect(found).toMatchObject({
    ...{ connections: 11, rooms: 9, deadLetters: 3, parked: 4, openProposals: 3, differences: 6, findings: 8 },
    queue: { gifts: 7, oldestMs: 40, partitions: [{ partition: 0, gifts: 7 }] },
    perMinute: [{ minute: "2026-01-02T03:04:00.000Z", gifts: 10, coins: 900, paidOrders: 2, chargedCoins: 120 }],
    missing: [],
  });
});

test("a service that does not answer is named, and what the others say is there", async () => {
  answers["gift.queueDepth"] = () => {
    throw fail("unavailable");
  };
  answers["staff.figures"] = () => {
    throw fail("unavailable");
  };
  const found = await freshFigures(({ missing }) => missing.join() === "gift,staff");
  expect(found).toMatchObject({
    ...{ missing: ["gift", "staff"], queue: { gifts: 0, oldestMs: null, partitions: [] }, openProposals: 1 },
    ...{ deadLetters: 3, parked: 4, connections: 11 },
  });
});

test("however many pages are open, a part is asked once in two seconds", async () => {
  await freshFigures(() => true);
  forget();
  const started = performance.now();
  const times = new Set<string>();
  for (let round = 0; round < 5; round++)
    for (const { time } of await Promise.all(Array.from({ length: 10 }, figures))) times.add(time);
  const looks = 1 + Math.ceil((performance.now() - started) / limits.admin.figuresKeptMs);
  expect(times.size).toBeLessThanOrEqual(looks);
  expect(of("gift.queueDepth").length).toBeLessThanOrEqual(looks);
  // Polled all the time: no row in the audit.
  expect(of("staff.begin")).toEqual([]);
});

test("a key and a secret are in their own answer, and the audit's params have neither", async () => {
  const made = await post("keys/create", { name: "shop", scopes: ["users:read"] });
  expect(made.data).toEqual({ keyId: "k3v9w0a1b2c3", key: "ovk_k3v9w0a1b2c3_secret" });
  const webhook = await post("webhooks/create", { url: "https://hooks.example.com/a", events: ["gift.settled"] });
  expect(webhook.data).toEqual({ webhookId: "7", secret: "whsec_c2VjcmV0" });
  expect((await post("webhooks/rotate", { webhookId: "7" })).data).toEqual({ secret: "whsec_c2VjcmV0" });
  const audited = JSON.stringify([...of("staff.begin"), ...of("staff.finish")]);
  expect(audited).toContain("shop");
  expect(audited).not.toMatch(/_secret|whsec_/);
  expect(of("platform.createKey")).toMatchObject([{ params: { operator: "staff:ada-admin" } }]);
});

test("a webhook of a private address is refused before any service hears of it", async () => {
  for (const url of ["http://hooks.example.com", "https://127.0.0.1/x", "https://10.0.0.7/x"]) {
    expect(await post("webhooks/create", { url, events: ["gift.settled"] })).toMatchObject({
      status: 400,
      code: 100001,
    });
    expect(await post("webhooks/update", { webhookId: "7", url })).toMatchObject({ status: 400, code: 100001 });
  }
  expect([...of("webhook.create"), ...of("webhook.update")]).toEqual([]);
});

test("what is done about a dead letter goes to the staff service with the person's session, and to nobody else", async () => {
  await post("deadLetters/replay", { id: 17, reason: "repaired" });
  await post("deadLetters/giveUp", { id: 17, reason: "sent twice" });
  const sessions = [...of("staff.replayDeadLetter"), ...of("staff.giveUpDeadLetter")].map(
    ({ params }) => params.session,
  );
  expect(new Set(sessions)).toEqual(new Set([byBearer("admin").Authorization?.slice("Bearer ".length)]));
  expect(calls.filter(({ action }) => action.startsWith("provisioner."))).toEqual([]);
  expect(of("staff.begin").map(({ params }) => params.about)).toEqual(["deadLetter:17", "deadLetter:17"]);
  answers["staff.giveUpDeadLetter"] = () => {
    throw fail("deadLetterGone");
  };
  expect(await post("deadLetters/giveUp", { id: 17, reason: "sent twice" })).toMatchObject({ status: 200, code: 501 });
});

test("without a percentage an anchor has the default again; her history is asked by her id", async () => {
  await post("share/set", { userId: "77" });
  await post("share/set", { userId: "77", percent: null });
  await post("share/set", { userId: "77", percent: 0 });
  expect(of("gift.setShare").map(({ params }) => params.percent)).toEqual([null, null, 0]);
  await post("share/list", { userId: "77" });
  expect(of("gift.shares")).toMatchObject([{ params: { anchorId: "77" } }]);
});
