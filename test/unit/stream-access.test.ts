import type { ServiceSchema } from "moleculer";
import { serviceNames } from "../../broker/service-names.ts";
import { natsPrefix } from "../../config/config.ts";
import { partsOf, streamNames } from "../../mixins/jetstream/definitions.ts";
import type { ChannelDefinition } from "../../mixins/jetstream.mixin.ts";
import { accountsText } from "../../scripts/stack/nats-accounts.ts";
import { isOriginOfTable } from "../../services/dead-letter-origins.ts";
import {
  eventReaderImports,
  eventReaderPermissions,
  mirrorAccount,
  mirrorExports,
  mirrorImports,
  mirrorKeeperPermissions,
  readersAccount,
  requestAnswererPermissions,
  sourceExports,
} from "../../services/event-readers.ts";
import { allStreams, streamAccess } from "../../services/stream-access.ts";
import { provisionerPermissions, servicePermissions, streamExports } from "../../services/stream-permissions.ts";

/** The table of who publishes, consumes and reads which stream, and the permissions made of it. */

type WithChannels = ServiceSchema & { channels?: Record<string, ChannelDefinition> };

const others = serviceNames.filter((name) => name !== "provisioner");

test.each(serviceNames)("%s has the consumers of its channels in the table, and no others", async (name) => {
  const module = (await import(`../../services/${name}/${name}.service.ts`)) as { default: WithChannels };
  const channels = Object.values(module.default.channels ?? {});
  const ofChannels = channels.map(({ stream, durable, subject, signatures }) => [
    ...[stream.name, durable, subject, signatures !== undefined],
  ]);
  const { consumers, streams } = streamAccess[name];
  expect(ofChannels.sort()).toEqual(
    consumers.map(({ stream, durable, subject, signed }) => [stream.name, durable, subject, signed === true]).sort(),
  );
  for (const { stream } of consumers) expect(streams).toContain(stream);
});

test("a durable of the table is named after its service, so that none is of two", () => {
  for (const name of serviceNames)
    for (const { durable } of streamAccess[name].consumers)
      expect([name, durable.startsWith(`${name}-`)]).toEqual([name, true]);
});

test("a dead letter of each consumer can be put back where it came from, and nowhere else", () => {
  for (const { stream, durable, subject } of Object.values(streamAccess).flatMap(({ consumers }) => consumers))
    for (const part of partsOf(stream)) {
      const origin = {
        channel: durable,
        stream: natsPrefix() + part.name,
        subject: natsPrefix() + (subject ?? part.subjects[0]),
      };
      expect([origin, isOriginOfTable(origin)]).toEqual([origin, true]);
      for (const other of [
        { ...origin, channel: "another" },
        { ...origin, stream: "another" },
        { ...origin, subject: `$JS.API.STREAM.DELETE.${part.name}` },
      ])
        expect([other, isOriginOfTable(other)]).toEqual([other, false]);
    }
});

test("only a service that checks signatures may store a dead letter that is kept like money", () => {
  const kept = others.flatMap((name) =>
    servicePermissions(name, "ovation").publish.allow.filter((subject) => /^dead\.(?!unproven\.)/.test(subject)),
  );
  expect(kept).toEqual(
    ["gift-settler", "wallet-recharge", "wallet-refund"].flatMap((durable) => [
      `dead.${durable}`,
      `dead.unknown-key.${durable}`,
    ]),
  );
});

test("no two services may pull or ack the same consumer", () => {
  const pulls = others.flatMap((name) =>
    servicePermissions(name, "ovation").publish.allow.filter((subject) => /MSG\.NEXT|^\$JS\.ACK/.test(subject)),
  );
  expect(new Set(pulls).size).toBe(pulls.length);
});

test("no service may make, change, purge or delete a stream or a consumer, or hear anything but its own inboxes", () => {
  for (const name of others) {
    const { publish, subscribe } = servicePermissions(name, "ovation");
    expect(
      publish.allow.filter((subject) => /CREATE|UPDATE|PURGE|SNAPSHOT|RESTORE|DIRECT|STREAM\.DELETE/.test(subject)),
    ).toEqual([]);
    expect(publish.allow.filter((subject) => /^\$JS\.API\.>|^>|^\*|^\$SYS/.test(subject))).toEqual([]);
    expect(subscribe.allow).toEqual([`_INBOX_${name}.>`]);
  }
});

/** Whether a subject of `wide` takes every subject of `narrow`. */
function covers(wide: string, narrow: string): boolean {
  const [tokens, theirs] = [wide.split("."), narrow.split(".")];
  const fits = (token: string, n: number) =>
    token === ">" ? theirs.length > n : token === theirs[n] || (token === "*" && theirs[n] !== ">");
  return tokens.every(fits) && (tokens.at(-1) === ">" || tokens.length === theirs.length);
}

test("JetStream's account offers each subject of a service by one export, and no request that changes a stream", () => {
  const exported = streamExports(["ovation", "other", "other"]).map(({ subject }) => subject);
  expect(new Set(exported).size).toBe(exported.length);
  for (const namespace of ["ovation", "other"])
    for (const { publish } of others.map((name) => servicePermissions(name, namespace)))
      for (const subject of publish.allow)
        expect([subject, exported.filter((one) => covers(one, subject)).length]).toEqual([subject, 1]);
  expect(exported.filter((one) => /CREATE|UPDATE|PURGE|SNAPSHOT|RESTORE|DIRECT|\.DELETE/.test(one))).toEqual([
    "$JS.API.STREAM.MSG.DELETE.*",
  ]);
  expect(exported.filter((one) => /^(>|\*|\$JS\.API\.>|\$JS\.>)/.test(one))).toEqual([]);
});

test("a service's login is in an account of its own, which imports what it may publish and nothing else", () => {
  const logins = serviceNames.map((role) => ({ role, namespace: "ovation" }));
  const text = accountsText(logins, () => "p");
  const [, inJetStream = ""] = /\n {2}JS \{\n([\s\S]*?)\n {2}\}/.exec(text) ?? [];
  expect([...inJetStream.matchAll(/\{user: "([^"]+)"/g)].map(([, user]) => user)).toEqual(["provisioner"]);
  for (const name of others) {
    const [, own = ""] = new RegExp(`\n {2}"JS-${name}" \\{\n([\\s\\S]*?)\n {2}\\}`).exec(text) ?? [];
    expect([...own.matchAll(/\{user: "([^"]+)"/g)].map(([, user]) => user)).toEqual([name]);
    const imports = [...own.matchAll(/\{account: "JS", subject: "([^"]+)"\}/g)].map(([, subject]) => subject);
    expect(imports).toEqual(servicePermissions(name, "ovation").publish.allow);
  }
});

test("every subject of the table is of a stream, and has the prefix of its namespace", () => {
  const subjects = allStreams.flatMap((stream) => stream.subjects.map((subject) => subject.split(".")[0]));
  for (const name of others)
    for (const subject of streamAccess[name].publishes) expect(subjects).toContain(subject.split(".")[0]);
  const { publish } = servicePermissions("gift", "other");
  const foreign = publish.allow.filter((subject) => !/other_|^\$JS\.API\.INFO$/.test(subject));
  expect(foreign).toEqual([]);
  expect(servicePermissions("gift", "other").subscribe.allow).toEqual(["_INBOX_other~gift.>"]);
});

test("the provisioner deletes no stream of the services, and messages only of streams that are trimmed, and dead letters", () => {
  const { allow } = provisionerPermissions("ovation").publish;
  expect(allow.filter((s) => /PURGE|STREAM\.DELETE|MSG\.(?!GET)|ACK/.test(s))).toEqual([
    "$JS.API.STREAM.PURGE.PAY",
    "$JS.API.STREAM.PURGE.DEAD",
    "$JS.API.STREAM.MSG.DELETE.DEAD",
  ]);
});

test("the provisioner gets single messages of the streams of its namespace, and of no other", () => {
  const { allow } = provisionerPermissions("other").publish;
  const names = allStreams.flatMap(streamNames).map((name) => `other_${name}`);
  expect(allow.filter((s) => s.includes("MSG.GET")).sort()).toEqual(
    names.map((name) => `$JS.API.STREAM.MSG.GET.${name}`).sort(),
  );
});

test("the provisioner publishes where a consumer reads, in its namespace, and nowhere else", () => {
  const origins = Object.values(streamAccess)
    .flatMap(({ consumers }) => consumers)
    .flatMap(({ stream, subject }) => (subject === undefined ? stream.subjects : [subject]));
  const published = provisionerPermissions("other").publish.allow.filter((subject) => !subject.startsWith("$JS."));
  expect(new Set(published)).toEqual(new Set(origins.map((subject) => `other_${subject}`)));
});

describe.each(["ovation", "other"])("the readers of EVENTS in namespace %s", (namespace) => {
  const prefix = namespace === "ovation" ? "" : "other_";
  const subjectsOf = (imports: readonly { subject: string }[]) => imports.map(({ subject }) => subject);

  test("reach no account but that of the mirror, and publish nothing that is not a request about it", () => {
    const imports = eventReaderImports(namespace);
    expect(new Set(imports.map(({ account }) => account))).toEqual(new Set([mirrorAccount(namespace)]));
    const { publish, subscribe } = eventReaderPermissions(namespace);
    const about = new RegExp(`^\\$JS\\.(API\\.[A-Z.]+|ACK|FC)\\.${prefix}EVENTS(\\.|$)`);
    expect(publish.allow.filter((subject) => !about.test(subject))).toEqual([
      "$JS.API.INFO",
      "$JS.API.STREAM.LIST",
      "$JS.API.STREAM.NAMES",
    ]);
    expect(publish.allow.filter((s) => /STREAM\.(CREATE|UPDATE|DELETE|PURGE|MSG\.DELETE)|DIRECT/.test(s))).toEqual([]);
    expect(subscribe.allow.filter((subject) => !/^(_INBOX(_(other~)?events)?|deliver)\.>$/.test(subject))).toEqual([]);
  });

  test("make consumers by the provisioner alone, which answers each request that nats-server does not get", () => {
    const answered = requestAnswererPermissions(namespace).subscribe.allow;
    expect(answered.filter((subject) => !/CREATE/.test(subject))).toEqual(["$JS.API.STREAM.NAMES"]);
    const services = eventReaderImports(namespace).filter(({ kind }) => kind === "service");
    const { publish } = eventReaderPermissions(namespace);
    expect([...subjectsOf(services), ...answered].sort()).toEqual([...publish.allow].sort());
    expect(subjectsOf(services).filter((subject) => /CREATE/.test(subject))).toEqual([]);
  });

  test("have in the mirror's account what it offers, under the same names: other names with a wildcard end nats-server", () => {
    expect(subjectsOf(mirrorExports(namespace)).sort()).toEqual(subjectsOf(eventReaderImports(namespace)).sort());
    for (const { subject, to } of [...eventReaderImports(namespace), ...mirrorImports(namespace)])
      if (to !== undefined) expect([subject, /[*>]/.test(subject + to)]).toEqual([subject, false]);
  });

  test("do not share the mirror's account, which alone may have the services' account make a consumer", () => {
    expect(mirrorAccount(namespace)).not.toBe(readersAccount(namespace));
    const offered = sourceExports(namespace);
    expect(offered.map(({ accounts }) => accounts)).toEqual(offered.map(() => [mirrorAccount(namespace)]));
    const known = new Set([...subjectsOf(offered), ...streamExports([namespace]).map(({ subject }) => subject)]);
    for (const { account, subject } of mirrorImports(namespace))
      expect([account, subject, known.has(subject)]).toEqual(["JS", subject, true]);
    const { publish } = mirrorKeeperPermissions("keeper", namespace);
    expect(publish.allow.filter((subject) => !subject.includes(`${prefix}EVENTS`))).toEqual(["$JS.API.INFO"]);
    expect(publish.allow.filter((subject) => subject.startsWith("source."))).toEqual([`source.${prefix}EVENTS.INFO`]);
  });
});
