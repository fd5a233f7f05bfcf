/** What a nats-server does not have to the end yet. Names are the server's. */
export interface Behind {
  readonly stream: string;
  /** Of a consumer of that stream. */
  readonly consumer?: string;
}

/** What a nats-server of 2.9 says in /healthz, whatever the leader of the stream thinks. */
const notCurrent = /JetStream (?:stream|consumer) '[^']*? > ([^' ]+)(?: > ([^' ]+))?' is not current/g;

/** The streams and consumers that an error of /healthz names as not current. */
export function behindOf(complaint: string): Behind[] {
  return [...complaint.matchAll(notCurrent)].map(([, stream, consumer]) => ({
    stream: stream as string,
    ...(consumer === undefined ? {} : { consumer }),
  }));
}
