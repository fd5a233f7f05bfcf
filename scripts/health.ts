import { hostname } from "node:os";
import { isServiceName, type ServiceName, serviceNames } from "../broker/launch.ts";
import { runCommand } from "./outcome.ts";

const USAGE = `Whether this container's node of a service is well: exit code 0 where it is.

  node scripts/health.ts NAME GATEWAY_URL      NAME: ${serviceNames.join(", ")}

A gateway is asked whether it lives. Any other node is known to the gateways, which ask it for its health: they are asked
for the service on this machine, by its name.`;

const timeoutMs = 5_000;

async function gatewayLives(url: string): Promise<boolean> {
  return (await fetch(`${url}/health/live`, { signal: AbortSignal.timeout(timeoutMs) })).ok;
}

async function nodeIsReady(service: ServiceName, url: string): Promise<boolean> {
  const place = new URLSearchParams({ service, host: hostname() });
  return (await fetch(`${url}/health/ready?${place}`, { signal: AbortSignal.timeout(timeoutMs) })).ok;
}

async function main([name = "", url = "", ...rest]: readonly string[]): Promise<number> {
  if (!isServiceName(name) || !URL.canParse(url) || rest.length > 0) {
    console.error(USAGE);
    return 2;
  }
  const well = name === "api-gateway" ? await gatewayLives(url) : await nodeIsReady(name, url);
  if (!well) console.error(`no ready node of ${name} on ${hostname()}`);
  return well ? 0 : 1;
}

runCommand(() => main(process.argv.slice(2)));
