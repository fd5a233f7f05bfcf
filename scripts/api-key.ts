import type { ServiceBroker } from "moleculer";
import { consoleName } from "../broker/bus/subjects.ts";
import { call } from "../services/contracts.ts";
import { type ApiKeyOrder, apiKeyOrder, apiKeyUsage } from "./api-key-command.ts";
import { fromConsole } from "./console-node.ts";
import { requireNode } from "./node-version.ts";
import { runCommand } from "./outcome.ts";

async function list(broker: ServiceBroker): Promise<void> {
  let shown = 0;
  for (let after: string | null = ""; after !== null; ) {
    const page: Awaited<ReturnType<typeof keysAfter>> = await keysAfter(broker, after);
    for (const { keyId, name, scopes, perMinute, createdBy, createTime, revokedTime } of page.list) {
      const state = revokedTime === null ? "valid" : `REVOKED ${revokedTime}`;
      const limit = perMinute === null ? "" : `  ${perMinute} a minute`;
      console.log(`${keyId}  ${name}  ${scopes.join(",")}${limit}  ${state}  by ${createdBy}, ${createTime}`);
    }
    shown += page.list.length;
    after = page.next;
  }
  if (shown === 0) console.log("there are no API keys");
}

const keysAfter = (broker: ServiceBroker, after: string) => call(broker, "platform.listKeys", { after });

async function carryOut(broker: ServiceBroker, order: Exclude<ApiKeyOrder, { what: "help" }>): Promise<number> {
  const operator = consoleName(broker.nodeID);
  if (order.what === "list") await list(broker);
  else if (order.what === "revoke") {
    const { name } = await call(broker, "platform.revokeKey", { keyId: order.keyId, operator });
    console.log(`${order.keyId} (${name}) is revoked: every node refuses it within a second`);
  } else {
    const { name, scopes, perMinute } = order;
    const wanted = { name, scopes, operator, ...(perMinute === undefined ? {} : { perMinute }) };
    const { keyId, key } = await call(broker, "platform.createKey", wanted);
    console.error(`${keyId} (${name}), ${scopes.join(", ")}. The key below is shown this once and kept nowhere:`);
    console.log(key);
  }
  return 0;
}

/** Calls the running system from a node without services. */
async function main(): Promise<number> {
  requireNode();
  const { as, order } = apiKeyOrder(process.argv.slice(2));
  if (order.what === "help") {
    console.log(apiKeyUsage);
    return process.argv.includes("--help") ? 0 : 1;
  }
  return fromConsole({ as, services: ["platform"] }, (broker) => carryOut(broker, order));
}

runCommand(main);
