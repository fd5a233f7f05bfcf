import { inboxPrefixOf, natsUser, streamPrefix } from "../broker/nats-names.ts";
import type { Exported, Permissions } from "./stream-permissions.ts";
import { eventStream } from "./streams.ts";

/**
 * How other systems read stream EVENTS as any stream, without reaching the services' account: nats-server keeps a copy
 * of it, a mirror, in account EVENTS, where nobody logs in but the provisioner and the administrator. The readers are in
 * an account of their own, which imports requests about the mirror. The subjects of both accounts are here (decision
 * 0064).
 */

/** A subject that an account takes from another. */
export interface Import {
  readonly kind: "service" | "stream";
  readonly account: string;
  readonly subject: string;
  /** What it is called in the account that takes it, where that differs. */
  readonly to?: string;
}

/** The account of a namespace's mirror. */
export function mirrorAccount(namespace: string): string {
  return `${streamPrefix(namespace)}EVENTS`;
}

/** The account of the other systems that read a namespace's mirror. */
export function readersAccount(namespace: string): string {
  return `JS-${natsUser("events", namespace)}`;
}

/** Subjects of a namespace's mirror. */
export function mirrorSubjects(namespace: string) {
  const prefix = streamPrefix(namespace);
  const stream = prefix + eventStream.name;
  return {
    /** The mirror has the name of the stream. */
    stream,
    events: eventStream.subjects.map((subject) => prefix + subject),
    /** The prefix of JetStream's API in the services' account, as the mirror's account calls it. */
    source: `source.${stream}`,
    /** Where the services' account sends the mirror's messages. */
    copy: `copy.${stream}`,
  };
}

const api = (request: string) => `$JS.API.${request}`;

/** The requests about the mirror that readers may make, and nats-server answers itself. None names a subject in its body. */
const answeredByServer = (stream: string) => [
  ...["INFO", "STREAM.LIST", `STREAM.INFO.${stream}`, `STREAM.MSG.GET.${stream}`].map(api),
  ...["CONSUMER.LIST", "CONSUMER.NAMES"].map((what) => api(`${what}.${stream}`)),
  ...["CONSUMER.INFO", "CONSUMER.DELETE"].map((what) => api(`${what}.${stream}.*`)),
  `$JS.ACK.${stream}.>`,
  `$JS.FC.${stream}.>`,
];

const pull = (stream: string) => api(`CONSUMER.MSG.NEXT.${stream}.*`);

/**
 * The requests that the provisioner answers, by a user in the readers' account. Whoever makes a consumer chooses the
 * subject to which nats-server sends with its own rights, so nats-server does not get these requests. It does not find
 * a mirror by a subject either, which clients ask for when they subscribe to a subject.
 */
export const answeredByProvisioner = (stream: string) =>
  [
    ...["STREAM.NAMES", `CONSUMER.CREATE.${stream}`, `CONSUMER.CREATE.${stream}.>`],
    `CONSUMER.DURABLE.CREATE.${stream}.*`,
  ].map(api);

/** Where a push consumer of a reader may deliver: the inboxes of clients, and `deliver.>` for subjects of one's own. */
export function deliverSubjects(namespace: string): string[] {
  return ["_INBOX.>", `${inboxPrefixOf(natsUser("events", namespace))}.>`, "deliver.>"];
}

/** The rights of other systems: to make, use and remove consumers of the mirror and to read it. */
export function eventReaderPermissions(namespace: string): Permissions {
  const { stream } = mirrorSubjects(namespace);
  const publish = [...answeredByServer(stream), pull(stream), ...answeredByProvisioner(stream)];
  return { publish: { allow: publish }, subscribe: { allow: deliverSubjects(namespace) } };
}

/**
 * What the readers' account takes of the mirror's. No subject has another name there: nats-server 2.9 ends with a panic
 * where a message of JetStream is sent to an import with a wildcard and another name, as a pull's reply may be.
 */
export function eventReaderImports(namespace: string): Import[] {
  const { stream } = mirrorSubjects(namespace);
  const account = mirrorAccount(namespace);
  return [
    ...[...answeredByServer(stream), pull(stream)].map((subject) => ({ kind: "service", account, subject }) as const),
    ...deliverSubjects(namespace).map((subject) => ({ kind: "stream", account, subject }) as const),
  ];
}

/** What the mirror's account offers to the readers'. */
export function mirrorExports(namespace: string): Exported[] {
  const { stream } = mirrorSubjects(namespace);
  return [
    { subject: pull(stream), streams: true },
    ...answeredByServer(stream).map((subject) => ({ subject })),
    ...deliverSubjects(namespace).map((subject) => ({ subject, kind: "stream" }) as const),
  ];
}

const mirrored = (namespace: string) => {
  const { stream, source, copy } = mirrorSubjects(namespace);
  return {
    requests: ["INFO", `CONSUMER.CREATE.${stream}`].map((request) => ({
      subject: api(request),
      to: `${source}.${request}`,
    })),
    flow: `$JS.FC.${stream}.>`,
    messages: `${copy}.>`,
  };
};

/**
 * What the services' account offers to the mirror's alone. Whoever could publish the request for a consumer there could
 * have any message sent anywhere; only nats-server does, for the mirror, since nobody else chooses a subject in that
 * account.
 */
export function sourceExports(namespace: string): Exported[] {
  const { requests, flow, messages } = mirrored(namespace);
  const accounts = [mirrorAccount(namespace)];
  return [
    // INFO is offered to all accounts.
    ...requests.filter(({ subject }) => subject !== api("INFO")).map(({ subject }) => ({ subject, accounts })),
    { subject: flow, accounts },
    { subject: messages, kind: "stream", accounts },
  ];
}

/** What the mirror's account takes of the services'. */
export function mirrorImports(namespace: string): Import[] {
  const { requests, flow, messages } = mirrored(namespace);
  return [
    ...requests.map((request) => ({ kind: "service", account: "JS", ...request }) as const),
    { kind: "service", account: "JS", subject: flow },
    { kind: "stream", account: "JS", subject: messages },
  ];
}

/** The request that the services' account answers to the mirror's where imports are in force. */
export function sourceInfo(namespace: string): string {
  return `${mirrorSubjects(namespace).source}.INFO`;
}

/** The rights of the provisioner in the mirror's account: to make and remake the mirror, and readers' consumers. */
export function mirrorKeeperPermissions(user: string, namespace: string): Permissions {
  const { stream } = mirrorSubjects(namespace);
  const ofStream = [
    "STREAM.INFO",
    "STREAM.CREATE",
    "STREAM.UPDATE",
    "STREAM.LEADER.STEPDOWN",
    "STREAM.DELETE",
    "CONSUMER.LIST",
    "CONSUMER.CREATE",
  ];
  const ofConsumers = ["CONSUMER.INFO", "CONSUMER.CREATE", "CONSUMER.DURABLE.CREATE"];
  const requests = ["INFO", ...ofStream.map((what) => `${what}.${stream}`)];
  const allow = [...requests, ...ofConsumers.map((what) => `${what}.${stream}.>`)].map(api);
  return {
    publish: { allow: [...allow, sourceInfo(namespace)] },
    subscribe: { allow: [`${inboxPrefixOf(user)}.>`] },
  };
}

/** The rights of the provisioner in the readers' account: to answer their requests. */
export function requestAnswererPermissions(namespace: string): Permissions {
  return {
    publish: { allow: [] },
    subscribe: { allow: answeredByProvisioner(mirrorSubjects(namespace).stream) },
    answers: true,
  };
}
