import { parseArgs } from "node:util";
import { limits } from "../config/limits.ts";
import { type ApiScope, apiScopes, isApiScope } from "../services/api-scopes.ts";

/** The arguments of `npm run api-key`. */

export const apiKeyUsage = `The keys of the platform's backends for the server API (docs/server-api.md).

  npm run api-key -- create --name NAME --scopes SCOPE,... [--per-minute N]   makes a key and shows it, once
  npm run api-key -- list                                                     all keys, revoked ones too
  npm run api-key -- revoke KEYID                                             every node refuses it within a second

SCOPE: ${apiScopes.slice(0, 7).join(", ")},
${apiScopes.slice(7).join(", ")}.
N: requests in a minute; without it ${limits.platform.requestsPerKeyPerMinute}, and ${limits.platform.giftsPerKeyPerMinute} gifts. Give every backend a key of its own
with the scopes that it needs. Whoever has the key can do what its scopes say: keep it as you keep a password. The scope
webhooks manages webhooks, and so reads every event: gifts, payments and credits of all users. Nobody can show it again; where it is lost, make another one and revoke this one. To rotate a key make the new one first.
It joins as the console of --as NAME (npm run operator), or of the only person who has a login here; the name stands in the
audit. Exit code 0: done; 1: it could not be done.`;

/** The error for invalid arguments: the problem and the usage. */
const wrong = (what: string) => new Error(`${what}\n\n${apiKeyUsage}`);

export type ApiKeyOrder =
  | { what: "help" }
  | { what: "create"; name: string; scopes: ApiScope[]; perMinute: number | undefined }
  | { what: "list" }
  | { what: "revoke"; keyId: string };

function scopesOf(text: string | undefined): ApiScope[] {
  const names = (text ?? "").split(",").filter(Boolean);
  const unknown = names.find((name) => !isApiScope(name));
  if (unknown !== undefined) throw wrong(`no such scope: ${unknown}`);
  if (names.length === 0) throw wrong("a key needs --scopes");
  return [...new Set(names.filter(isApiScope))];
}

function perMinuteOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const most = limits.platform.requestsPerKeyPerMinuteMax;
  if (!/^[1-9]\d{0,8}$/.test(text) || Number(text) > most)
    throw wrong(`--per-minute is a whole number from 1 to ${most}, not "${text}"`);
  return Number(text);
}

function read(args: readonly string[]) {
  const text = { type: "string" } as const;
  try {
    return parseArgs({
      args: [...args],
      options: { name: text, scopes: text, "per-minute": text, as: text, help: { type: "boolean" } },
      allowPositionals: true,
    });
  } catch (error) {
    throw wrong((error as Error).message);
  }
}

/** `as`: whose console. @throws Error with the invalid argument, and the usage */
export function apiKeyOrder(args: readonly string[]): { as: string | undefined; order: ApiKeyOrder } {
  const { values, positionals } = read(args);
  const [command, ...rest] = positionals;
  const { as, name, scopes, "per-minute": perMinute } = values;
  if (values.help || command === undefined) return { as, order: { what: "help" } };
  if (command !== "create" && [name, scopes, perMinute].some((given) => given !== undefined))
    throw wrong("--name, --scopes and --per-minute are for create");
  if (rest.length > (command === "revoke" ? 1 : 0)) throw wrong("too many arguments");
  if (command === "list") return { as, order: { what: "list" } };
  if (command === "revoke") {
    const [keyId = ""] = rest;
    if (!/^[a-z0-9]{12}$/.test(keyId)) throw wrong(`the id of a key has 12 of a-z and 0-9, not "${keyId}"`);
    return { as, order: { what: "revoke", keyId } };
  }
  if (command !== "create") throw wrong(`not understood: ${command}`);
  if (!name) throw wrong("a key needs a --name");
  return { as, order: { what: "create", name, scopes: scopesOf(scopes), perMinute: perMinuteOf(perMinute) } };
}
