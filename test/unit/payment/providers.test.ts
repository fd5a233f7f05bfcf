import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { projectRoot } from "../../../config/root.ts";
import type { ProviderDeclaration } from "../../../services/payment/providers/provider.ts";
import { isPayChannel, providers, webhookPath } from "../../../services/payment/providers.contract.ts";

describe("the registry of payment providers", () => {
  test("has channels, names and webhooks as clients and providers know them, in the order of the offers", () => {
    const known = providers.map((declared) => [declared.payChannel, declared.name, webhookPath(declared)]);
    expect(known).toEqual([
      [1, "wechat", "/live/bank/payNotify/wxNotify"],
      [0, "alipay", "/live/bank/payNotify/aliNotify"],
      [3, "cashier", "/live/bank/payNotify/cashierNotify"],
    ]);
    expect([0, 1, 2, 3, 4, -1].map(isPayChannel)).toEqual([true, true, true, true, false, false]);
  });

  test.each([
    ["name", { payChannel: 9, webhook: { path: "x", summary: "" } }],
    ["pay channel", { name: "other", webhook: { path: "x", summary: "" } }],
    ["webhook", { name: "other", payChannel: 9 }],
  ])("does not load where two providers have the same %s", (what, changes: Partial<ProviderDeclaration>) => {
    const [first] = providers as [ProviderDeclaration];
    const twice = { first, second: { ...first, ...changes } };
    jest.isolateModules(() => {
      const load = () => jest.requireActual("../../../services/payment/providers.contract.ts");
      jest.doMock("../../../services/payment/providers/registry.ts", () =>
        Object.defineProperty(twice, "__esModule", { value: true }),
      );
      expect(load).toThrow(`two payment providers have the ${what} `);
    });
    jest.dontMock("../../../services/payment/providers/registry.ts");
  });
});

/** The files of payment with those that each imports, types and `import()` included. */
function importsOf(folder: string): Map<string, string[]> {
  const files = (readdirSync(folder, { recursive: true }) as string[]).filter((file) => file.endsWith(".ts"));
  return new Map(
    files.map((file) => {
      const found = readFileSync(join(folder, file), "utf8").matchAll(/(?:from |import\()"(\.[^"]+)"/g);
      return [file, [...found].map(([, path = ""]) => join(dirname(file), path))];
    }),
  );
}

test("no module of payment imports itself by way of others, types included", () => {
  const imports = importsOf(join(projectRoot(), "services/payment"));
  expect(imports.size).toBeGreaterThan(30);
  const over = new Set<string>();
  const visit = (file: string, path: readonly string[]): void => {
    if (path.includes(file)) throw new Error(`a circle: ${[...path.slice(path.indexOf(file)), file].join(" → ")}`);
    if (over.has(file)) return;
    for (const next of imports.get(file) ?? []) visit(next, [...path, file]);
    over.add(file);
  };
  for (const file of imports.keys()) visit(file, []);
});
