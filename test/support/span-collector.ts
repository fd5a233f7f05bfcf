import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

/** A span as a collector got it. */
export interface CollectedSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  /** The node that made it. */
  readonly node: string;
  readonly failed: boolean;
}

interface OtlpSpan {
  name: string;
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  status?: { code?: number };
}

interface OtlpBody {
  resourceSpans: {
    resource: { attributes: { key: string; value: { stringValue?: string } }[] };
    scopeSpans: { spans: OtlpSpan[] }[];
  }[];
}

/** A collector: takes spans by OTLP over HTTP, as JSON, and keeps them. */
export class SpanCollector {
  readonly spans: CollectedSpan[] = [];
  /** Everything that came, as text. */
  text = "";
  private readonly server: Server;

  private constructor(server: Server) {
    this.server = server;
  }

  static async start(): Promise<SpanCollector> {
    const server = createServer((request, response) => {
      const parts: Buffer[] = [];
      request.on("data", (part: Buffer) => parts.push(part));
      request.on("end", () => {
        collector.take(Buffer.concat(parts).toString());
        response.writeHead(200, { "content-type": "application/json" }).end("{}");
      });
    });
    const collector = new SpanCollector(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return collector;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/v1/traces`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  ofTrace(traceId: string): CollectedSpan[] {
    return this.spans.filter((span) => span.traceId === traceId);
  }

  private take(text: string): void {
    this.text += text;
    for (const { resource, scopeSpans } of (JSON.parse(text) as OtlpBody).resourceSpans) {
      const node = resource.attributes.find(({ key }) => key === "service.instance.id")?.value.stringValue ?? "";
      for (const { name, traceId, spanId, parentSpanId, status } of scopeSpans.flatMap(({ spans }) => spans))
        this.spans.push({
          name,
          traceId,
          spanId,
          parentSpanId: parentSpanId || undefined,
          node,
          failed: status?.code === 2,
        });
    }
  }
}
