import { erasureEndpoints } from "../../../services/admin-gateway/endpoints/erasure.ts";
import { peopleEndpoints } from "../../../services/admin-gateway/endpoints/people.ts";
import { roomEndpoints } from "../../../services/admin-gateway/endpoints/rooms.ts";
import { storyEndpoints } from "../../../services/admin-gateway/endpoints/story.ts";
import { roleHas, type StaffRole } from "../../../services/staff-roles.ts";

/** Who may look up what. The door refuses what a role lacks (dispatch.ts); here is what each route asks for. */

const roles: readonly StaffRole[] = ["viewer", "support", "finance", "admin"];
const everyone = roles;
const support: readonly StaffRole[] = ["support", "admin"];

const allowed: Readonly<Record<string, readonly StaffRole[]>> = {
  ...{ search: everyone, "user/get": everyone, "user/statement": everyone, "user/payments": everyone },
  ...{ "user/giftsSent": everyone, "user/giftsReceived": everyone, "user/rooms": everyone },
  ...{ "user/incomePostings": everyone, "user/sessions": everyone, "order/story": everyone, "room/get": everyone },
  ...{ "user/erasure": everyone, "user/erase": ["admin"] },
  ...{ "user/phone": support, "user/endSessions": support, "room/close": support, "room/chat": support },
};

const endpoints = [...peopleEndpoints, ...erasureEndpoints, ...storyEndpoints, ...roomEndpoints];

test.each(endpoints.map((endpoint) => [endpoint.path.replace("/live/admin/", ""), endpoint] as const))(
  "%s is for the roles that it is for, and each call is in the audit",
  (path, { right, audited }) => {
    expect(right && roles.filter((role) => roleHas(role, right))).toEqual(allowed[path]);
    expect(audited).toBe(true);
  },
);

test("no route is left out here, and none is here that is not there", () => {
  const paths = endpoints.map(({ path }) => path.replace("/live/admin/", ""));
  expect(paths.toSorted()).toEqual(Object.keys(allowed).toSorted());
});

test.each([
  ["search", ["q"]],
  ["user/phone", ["userId", "reason"]],
  ["user/endSessions", ["userId", "reason"]],
  ["room/close", ["roomId", "reason"]],
  ["user/erase", ["userId", "giveUp", "reason"]],
])("%s takes no operator from outside", (path, fields) => {
  const own = endpoints.find((endpoint) => endpoint.path === `/live/admin/${path}`);
  expect(own?.fields.toSorted()).toEqual(fields.toSorted());
});
