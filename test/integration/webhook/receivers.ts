/** For the tests of webhooks: receivers whose answers the tests decide, and the neighbours of a webhook node. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Service, ServiceBroker, ServiceSchema } from "moleculer";
import { createConnection } from "mysql2/promise";
import { Webhook } from "standardwebhooks";
import { fail } from "../../../broker/failure.ts";
import { config, databaseName } from "../../../config/config.ts";
import { type JetStreamState, jetstreamMixin } from "../../../mixins/jetstream.mixin.ts";
import { call, type DurableEventName, type DurableEvents } from "../../../services/contracts.ts";
import { durableEvent } from "../../../services/durable-event.ts";
import type { SettledGift } from "../../../services/gift/gift.contract.ts";
import { eventStream } from "../../../services/streams.ts";
import type { DeliveryView } from "../../../services/webhook/webhook.contract.ts";
import webhook, { type WebhookSettings } from "../../../services/webhook/webhook.service.ts";
import { eventually, startNode } from "../../support/system.ts";

export interface Received {
  readonly path: string;
  readonly id: string;
  readonly headers: Record<string, string>;
  readonly text: string;
  readonly body: { id: string; type: string; timestamp: string; data: Record<string, unknown> };
  readonly atMs: number;
}

export type Answer = number | "hang" | ((call: Received, response: ServerResponse) => void);

/** A receiver on 127.0.0.1. Each path may answer in its own way; 200 where nothing else is said. */
export class Receiver {
  readonly calls: Received[] = [];
  readonly answers = new Map<string, Answer>();
  private readonly server: Server;

  private constructor() {
    this.server = createServer((request, response) => {
      void this.take(request, response);
    });
  }

  static async open(): Promise<Receiver> {
    const receiver = new Receiver();
    await new Promise<void>((resolve) => receiver.server.listen(0, "127.0.0.1", resolve));
    return receiver;
  }

  url(path: string): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}${path}`;
  }

  /** What came to a path. */
  at(path: string): Received[] {
    return this.calls.filter((one) => one.path === path);
  }

  close(): Promise<void> {
    this.server.closeAllConnections();
    return new Promise((resolve) => this.server.close(() => resolve()));
  }

  private async take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    const headers = request.headers as Record<string, string>;
    const path = request.url ?? "";
    const id = headers["webhook-id"] ?? "";
    const received = { path, id, headers, text, body: JSON.parse(text) as Received["body"], atMs: Date.now() };
    this.calls.push(received);
    const answer = this.answers.get(path) ?? 200;
    if (answer === "hang") return;
    if (typeof answer === "function") answer(received, response);
    else response.writeHead(answer).end(`answered ${answer}`);
  }
}

/** Whether a call is signed with the secret, as a receiver checks it. */
export function isSigned(received: Received, secret: string): boolean {
  try {
    new Webhook(secret).verify(received.text, received.headers);
    return true;
  } catch {
    return false;
  }
}

/** What the neighbours answer. */
export class World {
  /** By user id. */
  readonly externalIds = new Map<string, string>();
  readonly externalRoomIds = new Map<number, string>();
  isUserAway = false;
  /** Calls that were refused since the user service was away. */
  refusals = 0;
  private ids = 0;
  private publisher: (Service & JetStreamState) | undefined;

  gift({ roomId = 1, senderId = "11", receiverId = "12" }: Partial<SettledGift> = {}): SettledGift {
    const id = ++this.ids;
    return {
      ...{ orderId: `order-${id}`, recordId: String(id), status: "succeeded", senderId, receiverId, roomId },
      ...{ giftId: 1, count: 1, price: 10, income: 5, incomePoints: 500, type: 0, url: "" },
      time: "2026-11-26T12:00:00.000Z",
    };
  }

  /** Publishes an event; a repeat has the key of the first, and is another message. */
  async publish<N extends DurableEventName>(
    name: N,
    data: DurableEvents[N],
    key = `test-${++this.ids}`,
  ): Promise<string> {
    const { subject, payload } = durableEvent(name, key, data);
    await this.publisher?.jetstream.publish(subject, payload, { msgId: `message-${++this.ids}` });
    return key;
  }

  schemas(): ServiceSchema[] {
    const world = this;
    return [
      {
        name: "user",
        actions: {
          externalIdsOf({ params: { userIds } }: { params: { userIds: string[] } }) {
            if (world.isUserAway) {
              world.refusals++;
              throw fail("unavailable");
            }
            return {
              list: userIds.flatMap((userId) => {
                const externalId = world.externalIds.get(userId);
                return externalId === undefined ? [] : [{ userId, externalId }];
              }),
            };
          },
        },
      },
      {
        name: "living-room",
        actions: {
          externalIdsOf: ({ params: { roomIds } }: { params: { roomIds: number[] } }) => ({
            list: roomIds.flatMap((roomId) => {
              const externalRoomId = world.externalRoomIds.get(roomId);
              return externalRoomId === undefined ? [] : [{ roomId, externalRoomId }];
            }),
          }),
        },
      },
      {
        name: "gift",
        mixins: [jetstreamMixin([eventStream])],
        actions: { settledSince: () => ({ gifts: [], nextCursor: null, until: "0" }) },
        async started(this: Service & JetStreamState) {
          world.publisher = this;
        },
      },
    ] as unknown as ServiceSchema[];
  }
}

export const fast: WebhookSettings = {
  ...{ lookEveryMs: 50, leaseEveryMs: 100, leaseMs: 10_000, maintenanceEveryMs: 100, tryMs: 8_000, gatherMs: 20 },
};

export function startWebhooks(label: string, settings: WebhookSettings = {}): Promise<ServiceBroker> {
  return startNode(label, [{ ...webhook, settings: { ...fast, ...settings } as ServiceSchema["settings"] }]);
}

/** Changes rows of the webhook database past the service, e.g. times that a test does not wait for. */
export async function change(sql: string, values: unknown[] = []): Promise<void> {
  const connection = await createConnection({ uri: config().MYSQL_URL, database: databaseName("webhook") });
  try {
    await connection.query(sql, values);
  } finally {
    await connection.end();
  }
}

/** Holds the lock that the intake and the removal of messages take in turn; returns what frees it. */
export async function holdStore(): Promise<() => Promise<void>> {
  const connection = await createConnection({ uri: config().MYSQL_URL, database: databaseName("webhook") });
  await connection.beginTransaction();
  await connection.query("SELECT bytes FROM t_webhook_store FOR UPDATE");
  return () => connection.end();
}

/** All deliveries that wait for their next try are due now. */
export const letTimePass = () =>
  change("UPDATE t_webhook_delivery SET next_time = UTC_TIMESTAMP(3) WHERE state = 1 AND next_time > UTC_TIMESTAMP(3)");

export async function logOf(caller: ServiceBroker, webhookId: string): Promise<DeliveryView[]> {
  return (await call(caller, "webhook.deliveries", { webhookId, limit: 50 })).list;
}

/** The log once it is as wanted. */
export function logged(
  caller: ServiceBroker,
  webhookId: string,
  what: string,
  check: (list: DeliveryView[]) => boolean,
): Promise<DeliveryView[]> {
  return eventually(
    `the log: ${what}`,
    async () => {
      const list = await logOf(caller, webhookId);
      return check(list) ? list : undefined;
    },
    20_000,
  );
}
