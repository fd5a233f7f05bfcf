import type { ServerResponse } from "node:http";
import fc from "fast-check";
import { AwaitedBodies } from "../../../mixins/http/awaited-bodies.ts";
import type { GatewayRequest } from "../../../mixins/http/request-context.ts";

const named = (name: number) => ({ name }) as unknown as GatewayRequest;
const response = {} as ServerResponse;

/** The line from its oldest to its newest, which empties it. */
function drained(bodies: AwaitedBodies): unknown[] {
  const all: unknown[] = [];
  for (let place = bodies.oldest; place; place = bodies.oldest) {
    all.push(place.request);
    bodies.leave(place);
  }
  return all;
}

test("whoever leaves, in whatever order and however often, the others stay in the order they came", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(30), { maxLength: 40 }), (leaving) => {
      const bodies = new AwaitedBodies();
      const places = Array.from({ length: 20 }, (_, n) => bodies.add(named(n), response));
      for (const n of leaving) {
        const place = places[n];
        if (place) bodies.leave(place);
      }
      const left = places.filter((_, n) => !leaving.includes(n)).map(({ request }) => request);
      expect(drained(bodies)).toEqual(left);
      const late = bodies.add(named(99), response);
      expect(bodies.oldest).toBe(late);
    }),
  );
});
