import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import openapiTS, { astToString, type OpenAPI3 } from "openapi-typescript";
import { failures } from "../../../config/errors.ts";
import type { Endpoint } from "../../../services/api-gateway/endpoints/endpoint.ts";
import { openApiDocument } from "../../../services/api-gateway/pages/openapi.ts";
import { serverApiDocument } from "../../../services/api-gateway/pages/openapi-server.ts";
import { serverEndpoints } from "../../../services/api-gateway/server/all.ts";

// The client has every endpoint, whatever the settings of this shell leave out. They are read at the import.
process.env.SMS_LOGIN = "on";
const { endpoints } = await import("../../../services/api-gateway/endpoints/all.ts");

const USAGE = `Makes the client's types from the OpenAPI documents and the table of failures.

  npm run client-types              writes clients/typescript/src/generated/
  npm run client-types -- --check   fails where a file there differs from what would be written`;

const folder = join(import.meta.dirname, "../src/generated");
const header = "// Made by `npm run client-types` from the endpoints and config/errors.ts: change those.\n";

const form = "application/x-www-form-urlencoded";

async function typesOf(document: object): Promise<string> {
  // A field with a default may be left out of a request.
  const nodes = await openapiTS(document as OpenAPI3, { defaultNonNullable: false, silent: true });
  return header + astToString(nodes);
}

/** The document's paths under `base` alone, with bodies in JSON alone: the client sends no forms. */
function documentOf(document: Record<string, unknown>, base: string): object {
  const paths = Object.entries(document.paths as object).filter(([path]) => path.startsWith(base));
  const whole = { ...document, paths: Object.fromEntries(paths) };
  return JSON.parse(JSON.stringify(whole, (key, value) => (key === form ? undefined : value)));
}

/** The endpoints by their path after `base`, with the business failures of each. */
function operationsOf(list: readonly Endpoint[], base: string) {
  return Object.fromEntries(list.map(({ path, failures: names }) => [path.slice(base.length), names]));
}

const constant = (name: string, comment: string, value: object) =>
  `\n/** ${comment} */\nexport const ${name} = ${JSON.stringify(value, undefined, 2)} as const;\n`;

function failureTable(): string {
  const codes = Object.fromEntries(Object.entries(failures).map(([name, { code }]) => [name, code]));
  return (
    header +
    constant("failureCodes", "The code of each failure, by its name. Several failures may have one code.", codes) +
    constant(
      "userOperations",
      "The business failures of each path of the user API.",
      operationsOf(endpoints, "/live/api/"),
    ) +
    constant(
      "serverOperations",
      "Of each path of the server API, whether it writes, and its business failures.",
      Object.fromEntries(
        serverEndpoints.map(({ path, write, failures: names }) => [
          path.slice("/live/server/v1/".length),
          { write, failures: names },
        ]),
      ),
    )
  );
}

/** The generated files: name and text. */
async function generated(): Promise<Record<string, string>> {
  return {
    "user-api.d.ts": await typesOf(documentOf(openApiDocument(endpoints), "/live/api/")),
    "server-api.d.ts": await typesOf(documentOf(serverApiDocument(serverEndpoints), "/live/server/v1/")),
    "failures.ts": failureTable(),
  };
}

async function main(): Promise<void> {
  const [argument] = process.argv.slice(2);
  if (argument !== undefined && argument !== "--check") return console.log(USAGE);
  for (const [name, text] of Object.entries(await generated())) {
    const file = join(folder, name);
    if (argument === undefined) writeFileSync(file, text);
    else if (readIfThere(file) !== text) {
      console.error(`clients/typescript/src/generated/${name} is not what the endpoints say: npm run client-types`);
      process.exitCode = 1;
    }
  }
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

await main();
