import type { ProviderDeclaration } from "./providers/provider.ts";
import * as registry from "./providers/registry.ts";

/** The declarations of the payment providers, for the gateway, migrations and commands. No implementation is loaded. */

/** @throws Error where two providers share a value that must be unique, or where a name is not of the form of names. */
function checked(declared: readonly ProviderDeclaration[]): readonly ProviderDeclaration[] {
  const odd = declared.find(({ name }) => !/^[a-z]{1,16}$/.test(name));
  if (odd) throw new Error(`the name of a payment provider must be 1 to 16 of a-z: ${odd.name}`);
  const claims = declared.flatMap(({ name, payChannel, webhook, page }) => [
    `name ${name}`,
    `pay channel ${payChannel}`,
    `webhook ${webhook.path}`,
    ...(page ? [`page ${page.path}`] : []),
  ]);
  const twice = claims.find((claim, at) => claims.indexOf(claim) !== at);
  if (twice) throw new Error(`two payment providers have the ${twice}`);
  return Object.freeze([...declared].sort((a, b) => a.rank - b.rank));
}

/** All declared providers, in the order in which payers see the open ones. */
export const providers = checked(Object.values(registry));

export function providerNamed(name: string): ProviderDeclaration | undefined {
  return providers.find((declared) => declared.name === name);
}

export function providerOfChannel(payChannel: number): ProviderDeclaration | undefined {
  return providers.find((declared) => declared.payChannel === payChannel);
}

/** Channel numbers of the API without a provider (2: UnionPay). Their channels are closed, not invalid. */
const reservedChannels: readonly number[] = [2];

/** Whether the channel exists in the API, open or not. */
export function isPayChannel(payChannel: number): boolean {
  return reservedChannels.includes(payChannel) || providerOfChannel(payChannel) !== undefined;
}

const webhookBase = "/live/bank/payNotify";

/** The path of a provider's webhook at the gateway. */
export function webhookPath({ webhook }: ProviderDeclaration): string {
  return `${webhookBase}/${webhook.path}`;
}
