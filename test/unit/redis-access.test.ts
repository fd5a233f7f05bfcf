import { readFileSync } from "node:fs";
import { join } from "node:path";
import { serviceNames } from "../../broker/service-names.ts";
import { ProcessSettings } from "../../config/process-settings.ts";
import { projectRoot } from "../../config/root.ts";
import { redisRules, redisServices, usesRedis } from "../../services/redis-access.ts";

const schemaOf = (service: string) =>
  readFileSync(join(projectRoot(), `services/${service}/${service}.service.ts`), "utf8");

test("exactly the services with a connection to Redis have a login there and get its URL", () => {
  const connected = serviceNames.filter((service) =>
    /mixins:.*?\b(?:redisMixin|optionalRedisMixin)\b/s.test(schemaOf(service)),
  );
  expect(connected).toEqual(serviceNames.filter(usesRedis));
  expect(new ProcessSettings().ownersOf("REDIS_URL")).toEqual(redisServices);
});

test("keys of a login have the namespace's prefix, and no pattern is open at its beginning", () => {
  for (const service of redisServices) {
    const keys = redisRules(service, "ovation").filter((rule) => /^[~%&]/.test(rule));
    expect(keys.length).toBeGreaterThan(1);
    for (const key of keys) expect(key).toMatch(/^~ovation:[a-z-]+:(?:[a-z-]+:)?\*$/);
  }
});

test("a service without Redis has no rules", () => {
  expect(() => redisRules("payment", "ovation")).toThrow("payment");
});
