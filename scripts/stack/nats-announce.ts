const accountHead = /^ {2}("[^"]+"|[A-Z]+) \{$/gm;

const namesIn = (accounts: string) => new Set([...accounts.matchAll(accountHead)].map(([, name]) => name as string));

/**
 * The former block `accounts`, with the accounts that only the wanted one has, empty. A server of a cluster that hears of
 * subscriptions in an account which it does not know forgets them for good (nats-server issue 8560): so every server
 * reads the names first, and what is in the accounts with the next reload. `undefined` where there are no new accounts.
 */
export function announcing(former: string, wanted: string): string | undefined {
  const known = namesIn(former);
  const fresh = [...namesIn(wanted)].filter((name) => !known.has(name));
  if (fresh.length === 0) return undefined;
  return former.replace(/\}\n$/, `${fresh.map((name) => `  ${name} {\n  }\n`).join("")}}\n`);
}
