import { config, natsPrefix } from "../config/config.ts";
import { detachedFault, detachedSignature, type SignatureFault } from "../mixins/jetstream/signatures.ts";
import { bookKeys } from "./book-keys.ts";
import type { DurableEventName } from "./contracts.ts";

/**
 * The events of which a restore writes money, or whether an account is frozen. The service that publishes them signs them
 * with its keys of seals, in a header: whoever else may publish there, as the provisioner may, cannot have a restore
 * charge what nobody sent. Consumers do not look at it: no event moves a coin while the system runs.
 */
export const signedEvents = {
  "gift.settled": "gift",
  "wallet.credited": "wallet",
  "account.frozen": "wallet",
  "account.unfrozen": "wallet",
} as const satisfies Partial<Record<DurableEventName, "gift" | "wallet">>;

const signerOf = (name: string): "gift" | "wallet" | undefined =>
  Object.hasOwn(signedEvents, name) ? signedEvents[name as keyof typeof signedEvents] : undefined;

const placeOf = (name: string, signer: string) => ({
  ...{ namespace: config().NAMESPACE, subject: `${natsPrefix()}event.${name}`, signer },
});

/** Signs the events of a service, by their subject without the namespace's prefix. @throws Error without its keys */
export function eventSigner(service: "gift" | "wallet"): (subject: string, text: string) => string | undefined {
  const keys = bookKeys(service);
  return (subject, text) => {
    const name = subject.slice("event.".length);
    if (!subject.startsWith("event.") || signerOf(name) !== service) return undefined;
    return detachedSignature(keys, placeOf(name, service), text);
  };
}

/** Why an event is not known to be of its service; `undefined` where it is, or needs no signature. */
export type EventFault = (name: string, signature: string, data: Uint8Array) => SignatureFault | undefined;

/** @throws Error without the keys of the services that sign */
export function eventFaults(): EventFault {
  const keys = { gift: bookKeys("gift"), wallet: bookKeys("wallet") };
  return (name, signature, data) => {
    const signer = signerOf(name);
    return signer && detachedFault(keys[signer], placeOf(name, signer), signature, data);
  };
}
