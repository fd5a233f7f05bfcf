import type { Msg, NatsConnection, Subscription, SubscriptionOptions } from "nats";
import type { Log } from "../../broker/log.ts";
import { limits } from "../../config/limits.ts";
import { apiTimeoutMs } from "../../mixins/jetstream/definitions.ts";
import { SparseLog } from "../../mixins/sparse-log.ts";
import { answeredByProvisioner, deliverSubjects, mirrorSubjects } from "../event-readers.ts";
import { checkConsumerRequest } from "./consumer-request.ts";

/** Answers the requests of other systems that nats-server is not asked directly (services/event-readers.ts). */

const encoder = new TextEncoder();
const type = (request: string) => `io.nats.jetstream.api.v1.${request}_response`;

/** An error of the API, by nats-server's numbers. */
const failure = (code: 400 | 503, err_code: number, description: string) => ({
  type: type("consumer_create"),
  error: { code, err_code, description },
});
const badRequest = (description: string) => failure(400, 10_003, description);
const unavailable = failure(503, 10_008, "the consumer cannot be made now: try again");

/** The names of streams: the mirror, unless the request asks for another subject. */
function streamNames(body: string, stream: string, events: readonly string[]): unknown {
  let subject: unknown;
  try {
    subject = body === "" ? undefined : (JSON.parse(body) as { subject?: unknown } | null)?.subject;
  } catch {
    return { ...badRequest("the request is not JSON"), type: type("stream_names") };
  }
  const isOurs =
    typeof subject !== "string" || subject === ">" || events.some((one) => subject.startsWith(one.slice(0, -1)));
  const streams = isOurs ? [stream] : [];
  return { type: type("stream_names"), total: streams.length, offset: 0, limit: 1_024, streams };
}

export class ReaderRequests {
  private readonly mirror: NatsConnection;
  private readonly namespace: string;
  private readonly log: Log;
  private readonly subscriptions: Subscription[];
  private running = 0;
  private readonly refused: SparseLog<{ request: string; why: string }>;
  private readonly failed: SparseLog<{ request: string; err: unknown }>;

  /**
   * Answers until `stop`. The nodes of the provisioner share the requests. `readers` is a connection to the readers'
   * account, `mirror` one to that of the mirror.
   */
  constructor(readers: NatsConnection, mirror: NatsConnection, namespace: string, log: Log) {
    this.mirror = mirror;
    this.namespace = namespace;
    this.log = log;
    this.refused = new SparseLog((about) =>
      log.warn(about, "a request of another system for a consumer is refused, like those that are not logged"),
    );
    this.failed = new SparseLog((about) =>
      log.warn(about, "a request of another system for a consumer of EVENTS could not be carried out: it asks again"),
    );
    const options: SubscriptionOptions = {
      queue: "provisioner",
      callback: (error, message) => {
        if (error) this.log.error({ err: error }, "requests of other systems for consumers of EVENTS are not heard");
        else this.answer(message).catch((error: unknown) => this.failed.add({ request: message.subject, err: error }));
      },
    };
    const subjects = answeredByProvisioner(mirrorSubjects(namespace).stream);
    this.subscriptions = subjects.map((subject) => readers.subscribe(subject, options));
  }

  async stop(): Promise<void> {
    await Promise.all(this.subscriptions.map((one) => one.drain()));
  }

  /** Rejects where the connection is closed. */
  private async answer(message: Msg): Promise<void> {
    const { stream, events } = mirrorSubjects(this.namespace);
    const request = message.subject;
    if (message.data.length > limits.jetstream.readerRequestBytes) return this.say(message, badRequest("too long"));
    if (request === "$JS.API.STREAM.NAMES") return this.say(message, streamNames(message.string(), stream, events));
    const allowed = { stream, deliverSubjects: deliverSubjects(this.namespace) };
    const checked = checkConsumerRequest(message.string(), allowed);
    if ("refused" in checked) {
      this.refused.add({ request, why: checked.refused });
      return this.say(message, badRequest(checked.refused));
    }
    if (this.running >= limits.jetstream.readerRequestsAtOnce) return this.say(message, unavailable);
    this.running++;
    try {
      const timeout = apiTimeoutMs();
      const answer = await this.mirror.request(request, encoder.encode(checked.body), { timeout });
      message.respond(answer.data);
    } catch (error) {
      this.failed.add({ request, err: error });
      this.say(message, unavailable);
    } finally {
      this.running--;
    }
  }

  private say(message: Msg, answer: unknown): void {
    message.respond(encoder.encode(JSON.stringify(answer)));
  }
}
