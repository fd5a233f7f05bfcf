import { Errors } from "moleculer";
import { fail } from "../../../broker/failure.ts";
import { shownAs } from "../../../mixins/http/answer.ts";

/** A refusal whose name only a later release knows, as it arrives from a node of that release. */
const later = (http: number, type = "somethingNew") => new Errors.MoleculerClientError("new", http, type, {});

test.each([
  [200, "business"],
  [400, "badRequest"],
  [401, "notLoggedIn"],
  [403, "notAllowed"],
  [429, "tooMany"],
] as const)(
  "a refusal of a later release with status %i is shown as %s, not as a fault of the system",
  (http, name) => {
    expect(shownAs(later(http))).toBe(name);
  },
);

test("a name that is known is shown as it is, and what is no failure stays a fault", () => {
  expect(shownAs(fail("balanceShort"))).toBe("balanceShort");
  expect(shownAs(later(500))).toBe("internal");
  expect(shownAs(later(200, "NOT_A_FAILURE"))).toBe("internal");
  expect(shownAs(new Errors.MoleculerError("new", 400, "somethingNew"))).toBe("internal");
  expect(shownAs(new Errors.ValidationError("new"))).toBe("internal");
  expect(shownAs(null)).toBe("internal");
});
