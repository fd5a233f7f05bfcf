import { behindOf } from "../../../drill/faults/behind.ts";
import { healthError } from "../../../scripts/stack/ha/nats-node.ts";

/** As nats-server 2.9.10 answers. */
const stream = String.raw`{"status":"unavailable","error":"JetStream stream 'JS \u003e bench_3033e710_EVENTS' is not current"}`;
const consumer = String.raw`{"status":"unavailable","error":"JetStream consumer 'JS \u003e b_EVENTS \u003e gift-effects~1' is not current"}`;

test.each([
  ["a stream", stream, [{ stream: "bench_3033e710_EVENTS" }]],
  ["a consumer", consumer, [{ stream: "b_EVENTS", consumer: "gift-effects~1" }]],
  ["nothing", '{"status":"unavailable","error":"JetStream is not current with the meta leader"}', []],
  ["what is no JSON", "no stream here", []],
])("what is behind is read from the answer of /healthz: %s", (_what, answer, behind) => {
  expect(behindOf(`nats-3 did not join within 30 s: /healthz answers 503: ${healthError(answer)}`)).toEqual(behind);
});
