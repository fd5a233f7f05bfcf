import type { ServiceBroker } from "moleculer";
import { serviceNames } from "../../../broker/launch.ts";
import { release } from "../../../config/release.ts";
import { endpoints } from "../../../services/api-gateway/endpoints/all.ts";
import { eventually, stopAll, stopNode } from "../../support/system.ts";
import { asAlice, neighbourNames, send, startGateway, startNeighbours } from "./neighbours.ts";

let base = "";
let gateway: ServiceBroker;
let payment: Awaited<ReturnType<typeof startNeighbours>>;

beforeAll(async () => {
  await startNeighbours(neighbourNames.filter((name) => name !== "payment"));
  payment = await startNeighbours(["payment"]);
  ({ base, broker: gateway } = await startGateway());
});
afterAll(stopAll);

const get = (path: string, method = "GET") => send(base + path, { method });

test("the liveness check answers", async () => {
  const answer = await get("/health/live");
  expect([answer.status, answer.text]).toEqual([200, '{"status":"ok"}']);
  expect((await fetch(`${base}/health/live`, { method: "HEAD" })).status).toBe(200);
});

test("the OpenAPI document describes every endpoint, and all its references lead somewhere", async () => {
  const document = JSON.parse((await get("/openapi.json")).text);
  expect(document.openapi).toBe("3.1.0");
  expect(document.info).toMatchObject({ title: expect.any(String), version: expect.any(String) });
  const ids = new Set<string>();
  for (const { path, access, fields, params } of endpoints) {
    const operation = document.paths[path].post;
    expect(ids.has(operation.operationId)).toBe(false);
    ids.add(operation.operationId);
    expect(operation.security).toHaveLength(access === "public" ? 0 : access === "login" ? 2 : 1);
    const schema = operation.requestBody?.content["application/json"].schema;
    expect(Object.keys(schema?.properties ?? {}).sort()).toEqual([...fields].sort());
    const required = fields.filter((field) => !params.shape[field]?.safeParse(undefined).success);
    expect(schema?.required ?? []).toEqual(required);
    const [success] = operation.responses[200].content["application/json"].schema.oneOf;
    expect(success.required).toEqual(["code", "msg", "data"]);
  }
  const references = JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g);
  let count = 0;
  for (const [, path = ""] of references) {
    count++;
    const target = path.split("/").reduce((node: Record<string, unknown>, key) => node?.[key] as never, document);
    expect([path, typeof target]).toEqual([path, "object"]);
  }
  expect(count).toBeGreaterThan(endpoints.length);
});

test("the documentation page runs from this host alone", async () => {
  const page = await get("/docs");
  expect(page.headers.get("content-type")).toMatch(/^text\/html/);
  expect(page.headers.get("content-security-policy")).toContain("default-src 'self'");
  const files = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path]) => path as string);
  expect(files.length).toBeGreaterThan(2);
  for (const file of files) {
    expect(file.startsWith("/")).toBe(true);
    expect([file, (await get(file)).status]).toEqual([file, 200]);
  }
});

test("the web page and its files are served with their types and with what browsers must hold to", async () => {
  const page = await get("/");
  expect([page.status, page.headers.get("content-type")]).toEqual([200, "text/html; charset=utf-8"]);
  expect(page.headers.get("content-security-policy")).toContain(
    "default-src 'self'; connect-src 'self' ws: wss:; img-src 'self' data:",
  );
  expect(page.headers.get("x-content-type-options")).toBe("nosniff");
  expect(page.headers.get("x-frame-options")).toBe("DENY");
  expect(page.headers.get("cross-origin-opener-policy")).toBe("same-origin");
  expect(page.headers.get("referrer-policy")).toBe("no-referrer");
  expect((await get("/js/main.js")).headers.get("content-type")).toMatch(/^text\/javascript/);
  expect((await get("/favicon.svg")).headers.get("content-type")).toMatch(/^image\/svg\+xml/);
  expect(page.headers.get("etag")).toBeTruthy();
});

const sampleLine =
  /^([A-Za-z_:][\w:]*)(\{(?:[A-Za-z_]\w*="(?:[^"\\\n]|\\\\|\\"|\\n)*",?)+\})? (NaN|[+-]Inf|-?[\d.]+(?:e[+-]?\d+)?)$/;

test("/metrics is Prometheus text of every node", async () => {
  // Moleculer's own, which it leaves out in a test: it says more of the machine's user than of the service.
  gateway.metrics.register({ name: "os.user.homedir", type: "info" })?.set("/home/somebody");
  await send(`${base}/live/api/bank/income`, { headers: asAlice });
  const nodesOf = (text: string) =>
    new Set([...text.matchAll(/ovation_node_up\{node="([^"]+)"\} 1/g)].map(([, node]) => node));
  // A node that is busy does not answer in time: it is missing once.
  const answer = await eventually("every node in it", async () => {
    const scrape = await get("/metrics");
    return nodesOf(scrape.text).size === 3 ? scrape : undefined;
  });
  expect(answer.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
  expect(answer.text.endsWith("\n")).toBe(true);
  const types = new Map<string, string>();
  const series = new Set<string>();
  let family = "";
  for (const line of answer.text.trimEnd().split("\n")) {
    const [, name, type] = /^# TYPE (\S+) (counter|gauge|histogram|summary)$/.exec(line) ?? [];
    if (name && type) {
      expect(types.has(name)).toBe(false);
      types.set(name, type);
      family = name;
    } else if (!line.startsWith("# HELP ")) {
      const sample = sampleLine.exec(line);
      expect([line, sample === null]).toEqual([line, false]);
      const suffix = sample?.[1]?.slice(family.length);
      expect(sample?.[1]?.startsWith(family)).toBe(true);
      expect(types.get(family) === "histogram" ? ["_bucket", "_sum", "_count"] : [""]).toContain(suffix);
      const key = line.slice(0, line.lastIndexOf(" "));
      expect([key, series.has(key)]).toEqual([key, false]);
      series.add(key);
    }
  }
  const income =
    /moleculer_request_total\{node="[^"]+\.neighbours-[^}]+action="wallet.income"[^}]*caller="api-gateway"[^}]*\} 1/;
  expect(answer.text).toMatch(income);
  expect(answer.text).toMatch(
    /ovation_http_requests\{node="[^"]+",route="\/live\/api\/bank\/income",status="200",code="200"\} 1/,
  );
  expect(answer.text).toMatch(/ovation_http_request_time_bucket\{node="[^"]+",route="[^"]+",le="\+Inf"\} \d/);
  expect(answer.text).toMatch(/^process_resident_memory_bytes\{node="[^"]+\.gateway-/m);
  expect(answer.text).not.toContain("/home/somebody");
});

test("/health/ready is 200 while every service has a node that is well, and 503 when one is missing", async () => {
  const ready = async () => {
    const answer = await get("/health/ready");
    return { status: answer.status, retry: answer.headers.get("retry-after"), body: JSON.parse(answer.text) };
  };
  const before = await eventually("ready", async () => {
    const answer = await ready();
    return answer.status === 200 ? answer : undefined;
  });
  expect(Object.keys(before.body.services).sort()).toEqual([...serviceNames].sort());
  expect(before.body.status).toBe("ok");
  // Each node with the release of its code.
  const nodes = Object.values(before.body.services as Record<string, { nodes: object }>).flatMap((one) =>
    Object.values(one.nodes),
  );
  expect(nodes.map((node) => node.release)).toEqual(nodes.map(() => release));
  await stopNode(payment);
  // A node that is busy is not ready for a moment, as is the one that stops.
  const after = await eventually("payment is gone, and the wallet is ready", async () => {
    const answer = await ready();
    const { payment: stopped, wallet } = answer.body.services;
    return Object.keys(stopped.nodes).length === 0 && wallet.ready ? answer : undefined;
  });
  expect(after.status).toBe(503);
  expect(after.retry).toMatch(/^\d+$/);
  expect(after.body.services.payment).toEqual({ ready: false, nodes: {} });
  expect((await get("/health/live")).status).toBe(200);
});
