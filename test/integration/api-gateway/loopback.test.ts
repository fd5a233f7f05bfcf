import { once } from "node:events";
import { connect } from "node:net";
import { portsOf } from "../../../scripts/bound-ports.ts";
import imServer from "../../../services/im-server/im-server.service.ts";
import { startNode, stopAll } from "../../support/system.ts";
import { startGateway } from "./neighbours.ts";

afterAll(stopAll);

/** Whether somebody listens there. 127.0.0.2 stands for another address of this machine. */
async function answers(host: string, port: number): Promise<boolean> {
  const socket = connect({ host, port });
  try {
    await once(socket, "connect");
    return true;
  } catch (error) {
    expect(error).toMatchObject({ code: "ECONNREFUSED" });
    return false;
  } finally {
    socket.destroy();
  }
}

test("in the local profile gateways and im-servers listen on loopback alone", async () => {
  const { broker: gateway } = await startGateway([]);
  const ports = { ...portsOf(gateway), ...portsOf(await startNode("im", [imServer])) };
  expect(Object.keys(ports).sort()).toEqual(["api-gateway", "im-server"]);
  for (const port of Object.values(ports))
    expect([await answers("127.0.0.1", port), await answers("127.0.0.2", port)]).toEqual([true, false]);
});
