import { namedKeysIn } from "../../config/named-keys.ts";
import { detachedFault, detachedSignature } from "../../mixins/jetstream/signatures.ts";
import { writesOf } from "../../scripts/restore/replay-plan.ts";
import { type DurableEventName, durableEvents } from "../../services/contracts.ts";
import { signedEvents } from "../../services/signed-events.ts";
import { streamAccess } from "../../services/stream-access.ts";
import { newKeys } from "../support/unit-signatures.ts";

const keys = namedKeysIn(newKeys());
const place = { namespace: "unit", subject: "unit_event.gift.settled", signer: "gift" };
const text = '{"data":"é\\ud800"}';
const bytes = new TextEncoder().encode(text);

test("a signature in a header is of the content, the subject, the namespace and the signer", () => {
  const signature = detachedSignature(keys, place, text);
  expect(detachedFault(keys, place, signature, bytes)).toBeUndefined();
  for (const other of [{ namespace: "x" }, { subject: "unit_event.wallet.credited" }, { signer: "wallet" }])
    expect(detachedFault(keys, { ...place, ...other }, signature, bytes)).toBe("wrongSignature");
  expect(detachedFault(keys, place, signature, new TextEncoder().encode("{}"))).toBe("wrongSignature");
  expect(detachedFault(namedKeysIn(newKeys()), place, signature, bytes)).toBe("unknownKey");
  for (const none of ["", "x", signature.slice(0, -1)])
    expect(detachedFault(keys, place, none, bytes)).toBe("unsigned");
});

test("every event of which a restore writes to the ledger is signed, by the service that publishes it", () => {
  const time = new Date("2026-11-26T14:05:00.000Z");
  const gift = { orderId: "o", status: "succeeded", price: 1, count: 1, incomePoints: 0 };
  const writing = (Object.keys(durableEvents) as DurableEventName[]).filter((name) =>
    writesOf(name, { gifts: [gift], sides: [] } as never, time).some(({ to }) => to === "ledger"),
  );
  expect(writing.sort()).toEqual(Object.keys(signedEvents).sort());
  for (const [name, signer] of Object.entries(signedEvents))
    expect(streamAccess[signer].publishes).toContain(`event.${name}`);
});
