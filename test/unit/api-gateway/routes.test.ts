import { z } from "zod";
import type { ProviderDeclaration } from "../../../services/payment/providers/provider.ts";
import { madeUp } from "../../support/providers/made-up/made-up.ts";

const registry = "../../../services/payment/providers/registry.ts";

/** The names of the gateway's routes where the made-up provider is declared so. */
function routesWith(changes: Partial<ProviderDeclaration>): string[] {
  let names: string[] = [];
  jest.doMock(registry, () =>
    Object.defineProperty({ madeUp: { ...madeUp, ...changes } }, "__esModule", { value: true }),
  );
  try {
    jest.isolateModules(() => {
      names = Object.keys(jest.requireActual("../../../services/api-gateway/routes.ts").aliases);
    });
  } finally {
    jest.dontMock(registry);
  }
  return names;
}
const pageAt = (path: string) => ({ page: { path, fields: z.object({}) } });

test("a provider's webhook and page are routes beside the endpoints", () => {
  const names = routesWith(pageAt("/made-up/page"));
  const own = ["POST /live/bank/payNotify/madeUpNotify", "GET /made-up/page", "POST /made-up/page"];
  expect(names).toEqual(expect.arrayContaining([...own, "POST /live/api/gift/send", "GET /metrics"]));
});

test.each([
  ["an endpoint", pageAt("/live/api/gift/send"), "POST /live/api/gift/send"],
  ["a page of the gateway", pageAt("/metrics"), "GET /metrics"],
  ["its own webhook", pageAt("/live/bank/payNotify/madeUpNotify"), "POST /live/bank/payNotify/madeUpNotify"],
])("the gateway does not load where a provider's page has the path of %s", (_what, changes, name) => {
  expect(() => routesWith(changes)).toThrow(`two routes of the gateway are ${name}`);
});
