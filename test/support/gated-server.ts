import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** Where a connection to a server is stopped, by what its client sends on it. */
export interface Gate {
  /** Sent one after the other on one connection; with the last of them it stops. */
  readonly sends: readonly RegExp[];
  /** What of the last one is kept back: itself, or what the server answers to it. */
  readonly keepBack: "request" | "answer";
}

export interface GatedServer {
  /** The server's URL, with this stand-in's port in it. */
  readonly url: string;
  /**
   * Sets the gate, one at a time. Resolves once a connection has come to it: it stands there for good, the others go on. Only its client's end
   * ends it, as a crash does, and then the server's end of it goes too.
   */
  standsAt(gate: Gate): Promise<void>;
  close(): Promise<void>;
}

interface Watch extends Gate {
  readonly reached: () => void;
}

/** A pattern may come in two pieces; none of ours is longer than this. */
const rememberedChars = 2_000;

/** The one gate that is set, for all connections. */
interface Post {
  watch: Watch | undefined;
}

/** One connection: what has passed on it since the gate was set, and whether it stands. */
class Wire {
  private readonly client: Socket;
  private readonly upstream: Socket;
  private readonly post: Post;
  private watch: Watch | undefined;
  private recent = "";
  private passed = 0;
  private awaited: Watch | undefined;
  private stands = false;

  constructor(client: Socket, upstream: Socket, post: Post) {
    this.client = client;
    this.upstream = upstream;
    this.post = post;
    client.on("data", (chunk) => this.sent(chunk));
    upstream.on("data", (chunk) => this.answered(chunk));
  }

  private sent(chunk: Buffer): void {
    if (this.stands || this.awaited) return;
    const { watch } = this.post;
    if (!watch || !this.reaches(watch, chunk)) {
      this.upstream.write(chunk);
      return;
    }
    this.post.watch = undefined;
    if (watch.keepBack === "answer") {
      this.awaited = watch;
      this.upstream.write(chunk);
    } else {
      this.stands = true;
      watch.reached();
    }
  }

  /** Whether the last of the gate's patterns has come. Each is looked for behind the one before it. */
  private reaches(watch: Watch, chunk: Buffer): boolean {
    if (this.watch !== watch) Object.assign(this, { watch, recent: "", passed: 0 });
    this.recent += chunk.toString("latin1");
    for (let found = this.next(watch); found; found = this.next(watch)) {
      this.recent = this.recent.slice(found.index + found[0].length);
      this.passed++;
    }
    this.recent = this.recent.slice(-rememberedChars);
    return this.passed === watch.sends.length;
  }

  private next(watch: Watch): RegExpExecArray | null | undefined {
    return watch.sends[this.passed]?.exec(this.recent);
  }

  private answered(chunk: Buffer): void {
    if (this.awaited && !this.stands) {
      this.stands = true;
      this.awaited.reached();
    }
    if (!this.stands) this.client.write(chunk);
  }
}

/** Stands between a process and a server of the test stack, to stop the process at a step that the test names. */
export async function gated(target: string): Promise<GatedServer> {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  const post: Post = { watch: undefined };
  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname);
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(socket);
      socket.on("error", () => other.destroy());
      socket.on("close", () => {
        sockets.delete(socket);
        other.destroy();
      });
    }
    new Wire(client, upstream, post);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = new URL(target);
  url.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url: url.href,
    standsAt: (gate) =>
      new Promise((reached) => {
        post.watch = { ...gate, reached };
      }),
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
