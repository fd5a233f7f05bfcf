import { limits } from "../../config/limits.ts";
import imRouter from "../../services/im-router/im-router.service.ts";
import imServer from "../../services/im-server/im-server.service.ts";
import { limitsOf } from "../../services/limits-of.ts";

test("a service has the limits of the table, but for those few that its settings change", () => {
  const table = Object.freeze({ firstMs: 1, secondMs: 2 });
  expect(limitsOf(table, { settings: {} })).toEqual(table);
  expect(limitsOf(table, { settings: { secondMs: 20 } })).toEqual({ firstMs: 1, secondMs: 20 });
});

test("the IM's services change none of their limits themselves", () => {
  for (const { settings = {} } of [imServer, imRouter])
    expect(Object.keys(settings).filter((name) => name in limits.im)).toEqual([]);
});
