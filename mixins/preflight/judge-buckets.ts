import type { Finding } from "./checks.ts";

/** That users' data is on several servers (`names`), which promises more than was tried. Pure. */
export function judgeBuckets(names: readonly string[]): Finding[] {
  if (names.length < 2) return [];
  return [
    {
      ...{ check: "mysql.buckets", severity: "money", server: "WALLET_MYSQL_URLS" },
      found: `${names.length} servers: ${names.join(", ")}`,
      wanted: "one server, or several that were tried with your load",
      risk: "a node of release 1 that is started again writes past the gates, and one id on two servers is told, not kept out",
      repair: "read docs/decisions/0091-databases-by-user.md, end nodes of release 1 for good, and accept it",
    },
  ];
}
