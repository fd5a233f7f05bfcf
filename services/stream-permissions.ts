import { inboxPrefixOf, natsUser, streamPrefix } from "../broker/nats-names.ts";
import {
  deadLetterSubject,
  deadLetters,
  logConsumerNames,
  partsOf,
  type StreamDefinition,
} from "../mixins/jetstream/definitions.ts";
import { allStreams, type ServiceConsumer, type StreamAccess, streamAccess } from "./stream-access.ts";

/** What a login at NATS may do, as nats-server wants it: subjects. What is not in `allow` is refused. */
export interface Permissions {
  readonly publish: { readonly allow: readonly string[] };
  readonly subscribe: { readonly allow: readonly string[] };
  /** It may answer the requests that it receives. */
  readonly answers?: true;
}

const api = (request: string) => `$JS.API.${request}`;

/** The server's names of the streams that hold a definition's messages, in a namespace. */
const namesOf = (stream: StreamDefinition, prefix: string) => partsOf(stream).map(({ name }) => prefix + name);

/** Stream and consumer as tokens of a subject. A queue has one reader, so any ending of its consumers' names is its own. */
function consumerTokens({ stream, durable }: ServiceConsumer, prefix: string): string[] {
  const streams = namesOf(stream, prefix);
  if (stream.kind === "queue") return streams.map((name) => `${name}.*`);
  return streams.flatMap((name) => logConsumerNames(durable).map((consumer) => `${name}.${consumer}`));
}

/** Only a consumer that checks signatures may say that a dead letter is signed, and have it kept like money. */
function deadLettersOf({ durable, signed }: ServiceConsumer): string[] {
  const proofs = signed ? (["proven", "unknownKey", "unproven"] as const) : (["unproven"] as const);
  return proofs.map((proof) => deadLetterSubject(durable, proof));
}

const pulling = (tokens: string) => [
  api(`CONSUMER.INFO.${tokens}`),
  api(`CONSUMER.MSG.NEXT.${tokens}`),
  `$JS.ACK.${tokens}.>`,
];

function ofAccess(access: StreamAccess, prefix: string): string[] {
  const { publishes, streams, consumers, lists = [], reads = [], removes = [] } = access;
  const on = (definitions: readonly StreamDefinition[], request: string) =>
    definitions.flatMap((stream) => namesOf(stream, prefix).map((name) => api(`${request}.${name}`)));
  return [
    ...publishes.map((subject) => prefix + subject),
    ...consumers.flatMap((consumer) => deadLettersOf(consumer).map((subject) => prefix + subject)),
    api("INFO"),
    ...on(streams.length > 0 ? [...streams, deadLetters] : [], "STREAM.INFO"),
    ...on(lists, "CONSUMER.LIST"),
    ...on(reads, "STREAM.MSG.GET"),
    ...on(removes, "STREAM.MSG.DELETE"),
    ...consumers.flatMap((consumer) => consumerTokens(consumer, prefix).flatMap(pulling)),
  ];
}

const withInbox = (user: string, publish: Permissions["publish"]): Permissions => ({
  publish,
  subscribe: { allow: [`${inboxPrefixOf(user)}.>`] },
});

/** The requests of JetStream's API that other accounts may have. None of them makes, changes, purges or deletes a stream. */
const exportedRequests = [
  ...["INFO", "STREAM.INFO.*", "STREAM.MSG.GET.*", "STREAM.MSG.DELETE.*"],
  ...["CONSUMER.INFO.>", "CONSUMER.LIST.*"],
];

/** A subject that an account offers to others, or to some alone. */
export interface Exported {
  readonly subject: string;
  /** `service`, the default: their requests come in; `stream`: its messages go out. */
  readonly kind?: "stream";
  /** Of a service: a request may have many answers. */
  readonly streams?: true;
  readonly accounts?: readonly string[];
}

/**
 * What the account of JetStream offers to those of services, which import of it the subjects of their own rights. An
 * answer goes to the account of the caller: a reply subject that is a request of the API, an ack or a stream's subject
 * reaches nobody there.
 */
export function streamExports(namespaces: Iterable<string>): Exported[] {
  const subjects = allStreams.flatMap((stream) => stream.subjects);
  return [
    { subject: api("CONSUMER.MSG.NEXT.>"), streams: true },
    ...[...exportedRequests.map(api), "$JS.ACK.>"].map((subject) => ({ subject })),
    ...[...new Set(namespaces)].flatMap((namespace) =>
      subjects.map((subject) => ({ subject: streamPrefix(namespace) + subject })),
    ),
  ];
}

/** The rights of a service's login at JetStream: those of its job (stream-access.ts). */
export function servicePermissions(service: keyof typeof streamAccess, namespace: string): Permissions {
  const allow = ofAccess(streamAccess[service], streamPrefix(namespace));
  return withInbox(natsUser(service, namespace), { allow: [...new Set(allow)] });
}

/**
 * What staff's work on dead letters needs beside reading them: to remove them, and to publish where consumers read, since
 * a dead letter is put back there.
 */
function deadLetterRights(prefix: string): string[] {
  const requests = ["STREAM.MSG.DELETE"];
  const origins = Object.values(streamAccess)
    .flatMap(({ consumers }) => consumers)
    .flatMap(({ stream, subject }) => (subject === undefined ? stream.subjects : [subject]));
  return [
    ...namesOf(deadLetters, prefix).flatMap((name) => requests.map((request) => api(`${request}.${name}`))),
    ...new Set(origins.map((origin) => prefix + origin)),
  ];
}

/**
 * The rights of the provisioner: it alone makes, changes and removes streams' consumers, makes and changes streams, and
 * lets their leaders step down (mixins/jetstream/agreed-stream.ts). It deletes no stream, and of messages only those of
 * streams that are trimmed (mixins/jetstream/trim.ts) and dead letters. It gets single messages, for the age of the
 * oldest that waits (queue-gauges.ts). Whoever may make a stream or a consumer may copy other messages into it, so that
 * it may get them, and put dead letters back, gives it nothing that it could not have; it cannot sign.
 */
export function provisionerPermissions(namespace: string): Permissions {
  const streams = allStreams.flatMap((stream) => namesOf(stream, streamPrefix(namespace)));
  const requests = [
    "STREAM.INFO",
    "STREAM.MSG.GET",
    "STREAM.CREATE",
    "STREAM.UPDATE",
    "STREAM.LEADER.STEPDOWN",
    "CONSUMER.LIST",
  ];
  const ofConsumers = ["CONSUMER.INFO", "CONSUMER.CREATE", "CONSUMER.DURABLE.CREATE", "CONSUMER.DELETE"];
  const trimmed = allStreams.filter(({ trims }) => trims !== undefined);
  const purges = trimmed.flatMap((stream) => namesOf(stream, streamPrefix(namespace)));
  const allow = streams.flatMap((name) => [
    ...requests.map((request) => api(`${request}.${name}`)),
    ...ofConsumers.map((request) => api(`${request}.${name}.>`)),
  ]);
  return withInbox(natsUser("provisioner", namespace), {
    allow: [
      ...[api("INFO"), ...allow, ...purges.map((name) => api(`STREAM.PURGE.${name}`))],
      ...deadLetterRights(streamPrefix(namespace)),
    ],
  });
}
