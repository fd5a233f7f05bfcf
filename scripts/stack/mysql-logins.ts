import { createHash, randomBytes } from "node:crypto";
import { databaseName, serviceUrlName } from "../../config/config.ts";
import { placesOf, readableServersOf, withLogin } from "../../config/server-urls.ts";
import { changeStackEnv } from "./env-file.ts";

/** MySQL takes names of at most so many characters. */
const longestName = 32;

/** The login of a service: the name of its database; a long one is cut and ends with a part of its hash. */
export function loginName(namespace: string, service: string): string {
  const name = databaseName(service, namespace);
  if (name.length <= longestName) return name;
  const hash = createHash("sha256").update(name).digest("hex").slice(0, 8);
  return `${name.slice(0, longestName - hash.length - 1)}_${hash}`;
}

/**
 * The services' own URLs of the MySQL server of `adminUrl`, by variable, with random passwords. They are made at the
 * first use, and kept in the stack's env file while server and namespace are the same.
 */
export async function keptMysqlUrls(
  dir: string,
  { adminUrl, namespace, services }: { adminUrl: string; namespace: string; services: readonly string[] },
): Promise<Record<string, string>> {
  const urlOf = (service: string, kept: string | undefined): string => {
    const [former] = readableServersOf(kept ?? "");
    const username = loginName(namespace, service);
    const isSame = kept !== undefined && former?.username === username && placesOf(kept) === placesOf(adminUrl);
    const password = (isSame && former.password) || randomBytes(24).toString("base64url");
    return withLogin(adminUrl, { username, password });
  };
  let urls: Record<string, string> = {};
  await changeStackEnv(dir, (kept) => {
    urls = Object.fromEntries(
      services.map((service) => {
        const variable = serviceUrlName("MYSQL_URL", service);
        return [variable, urlOf(service, kept[variable])];
      }),
    );
    return urls;
  });
  return urls;
}
