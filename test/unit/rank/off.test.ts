import type { ServiceSchema } from "moleculer";
import { openApiDocument } from "../../../services/api-gateway/pages/openapi.ts";

/** What a process has with RANKS=off, or another value. */
function systemWith(value: string) {
  const before = process.env.RANKS;
  process.env.RANKS = value;
  const found = { routes: [] as string[], documented: "", consumers: 0, publish: "", schema: {} as ServiceSchema };
  try {
    jest.isolateModules(() => {
      const load = (file: string) => jest.requireActual(`../../../${file}`);
      found.routes = Object.keys(load("services/api-gateway/routes.ts").aliases);
      found.documented = JSON.stringify(openApiDocument(load("services/api-gateway/endpoints/all.ts").endpoints));
      found.consumers = load("services/stream-access.ts").streamAccess.rank.consumers.length;
      found.publish = load("services/stream-permissions.ts").servicePermissions("rank", "ovation").publish.allow.join();
      found.schema = load("services/rank/rank.service.ts").default;
    });
  } finally {
    if (before === undefined) delete process.env.RANKS;
    else process.env.RANKS = before;
  }
  return found;
}

test("RANKS=off leaves no path, no documentation, no consumer, no right to one and no database", () => {
  const { routes, documented, consumers, publish, schema } = systemWith("off");
  expect(routes.filter((name) => name.includes("/rank"))).toEqual([]);
  expect(documented).not.toMatch(/rank/i);
  expect([consumers, publish.includes("rank-gifts")]).toEqual([0, false]);
  expect([(schema as { channels?: object }).channels, (schema.mixins ?? []).length]).toEqual([{}, 1]);
  for (const action of ["room", "anchor", "global", "status", "rebuild", "verify"]) {
    const actions = schema.actions as Record<string, { handler(): unknown }>;
    expect(actions[action]?.handler).toThrow(expect.objectContaining({ type: "notFound" }));
  }
});

test("RANKS=on, as where it is unset, has all of it", () => {
  for (const value of ["on", ""]) {
    const { routes, documented, consumers, publish } = systemWith(value);
    expect(routes.filter((name) => name.includes("/rank/"))).toEqual(
      ["room", "anchor", "global"].map((name) => `POST /live/api/rank/${name}`),
    );
    expect([documented.includes("/live/api/rank/room"), consumers, publish.includes("rank-gifts")]).toEqual([
      true,
      1,
      true,
    ]);
  }
});
