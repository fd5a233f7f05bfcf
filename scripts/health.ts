import { hostname } from "node:os";
import { isServiceName, type ServiceName, serviceNames } from "../broker/launch.ts";
import type { Readiness } from "../services/api-gateway/pages/readiness.ts";
import { runCommand } from "./outcome.ts";

const USAGE = `Whether this container's node of a service is well: exit code 0 where it is.

  node scripts/health.ts NAME GATEWAY_URL      NAME: ${serviceNames.join(", ")}

A gateway is asked whether it lives. Any other node is known to the gateways, which ask it for its health: it is found
by this machine's name in its id.`;

const timeoutMs = 5_000;

async function gatewayLives(url: string): Promise<boolean> {
  return (await fetch(`${url}/health/live`, { signal: AbortSignal.timeout(timeoutMs) })).ok;
}

async function nodeIsReady(name: ServiceName, url: string): Promise<boolean> {
  // 503 says that some service is not ready; which ones is in the body all the same.
  // Behind METRICS_TOKEN the nodes are named to those alone who have it, as this container does.
  const token = process.env.METRICS_TOKEN;
  const headers: Record<string, string> = token ? { authorization: `Bearer ${token}` } : {};
  const response = await fetch(`${url}/health/ready`, { headers, signal: AbortSignal.timeout(timeoutMs) });
  const { services } = (await response.json()) as Readiness;
  return Object.entries(services[name].nodes).some(([id, { ready }]) => ready && id.includes(`-${hostname()}-`));
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
