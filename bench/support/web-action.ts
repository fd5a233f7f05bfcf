import type { IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { type Context, ServiceBroker, type ServiceSchema } from "moleculer";
import ApiGateway from "moleculer-web";
import { onStopSignal } from "../../scripts/stop-signal.ts";

interface WebAction<Params, Meta extends object> {
  /** The node's id. */
  node: string;
  run(ctx: Context<Params, Meta>): unknown;
  /** Puts into `meta` what the action needs of the request. */
  before?: (ctx: Context<unknown, Meta>, request: IncomingMessage) => void;
  /** Closes what the action uses. */
  stop?: () => Promise<void>;
}

/**
 * Serves one action as `POST /live/api/gift/send`, until the process is asked to stop: moleculer-web as its guide sets it
 * up, with the JSON body parsed, and the action in the same process without a transporter.
 */
async function serve<Params, Meta extends object>({ node, run, before, stop }: WebAction<Params, Meta>): Promise<void> {
  const broker = new ServiceBroker({ nodeID: node, logLevel: "warn" });
  broker.createService({ name: "usual", actions: { run } } as ServiceSchema);
  const onBeforeCall = before && {
    onBeforeCall: (ctx: Context<unknown, Meta>, _route: unknown, request: IncomingMessage) => before(ctx, request),
  };
  broker.createService({
    name: "api",
    mixins: [ApiGateway as ServiceSchema],
    settings: {
      ip: "127.0.0.1",
      port: 0,
      routes: [
        {
          path: "/live/api",
          aliases: { "POST gift/send": "usual.run" },
          mappingPolicy: "restrict",
          bodyParsers: { json: true },
          ...onBeforeCall,
        },
      ],
    },
  });
  const stopped = onStopSignal(async () => {
    await broker.stop();
    await stop?.();
  });
  await broker.start();
  const { server } = broker.getLocalService("api") as unknown as { server: { address(): AddressInfo } };
  // The benchmark parses this line.
  console.log(`ready ${JSON.stringify({ port: server.address().port })}`);
  await stopped;
}

/** The whole process of a web action: ends once it is asked to, or where it cannot start. */
export function runWebAction<Params, Meta extends object>(open: () => Promise<WebAction<Params, Meta>>): void {
  open()
    .then((action) => serve(action))
    .then(
      () => process.exit(),
      (error: unknown) => {
        console.error(error);
        process.exit(1);
      },
    );
}
