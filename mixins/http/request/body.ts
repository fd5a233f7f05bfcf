import { isUtf8 } from "node:buffer";
import type { IncomingMessage } from "node:http";
import { fail } from "../../../broker/failure.ts";

/** `application/json` of `application/json; charset=utf-8`. Fails: badRequest, where the charset is not UTF-8. */
export function mediaType(header: string | undefined): string {
  const [type = "", ...parameters] = (header ?? "").toLowerCase().split(";");
  for (const parameter of parameters) {
    const [name, value = ""] = parameter.split("=");
    if (name?.trim() === "charset" && !/^"?utf-?8"?$/.test(value.trim()))
      throw fail("badRequest", { why: "unsupported charset" });
  }
  return type.trim();
}

/**
 * The whole body as text, "" where there is none. A body that is too large is not kept: its rest is read and dropped
 * within the server's request timeout, so that the client gets its answer. Fails: tooLarge; badRequest, where the body
 * is compressed, is not UTF-8 or ends early.
 */
export function readText(request: IncomingMessage, maxBytes: number): Promise<string> {
  const { "content-length": length, "content-encoding": encoding, "transfer-encoding": chunked } = request.headers;
  if (chunked === undefined && (length === undefined || length === "0")) return Promise.resolve("");
  if (encoding !== undefined && encoding.toLowerCase() !== "identity")
    return Promise.reject(fail("badRequest", { why: "unsupported content encoding" }));
  if (Number(length) > maxBytes) return Promise.reject(fail("tooLarge", { bytes: Number(length) }));
  return collect(request, maxBytes);
}

function collect(request: IncomingMessage, maxBytes: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const onData = (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= maxBytes) chunks.push(chunk);
      else refuse("tooLarge", { bytes });
    };
    const refuse = (name: "tooLarge" | "badRequest", about: Record<string, unknown>) => {
      chunks.length = 0;
      request.off("data", onData);
      request.resume();
      reject(fail(name, about));
    };
    request.on("data", onData);
    request.once("end", () => {
      const body = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
      if (isUtf8(body)) resolve(body.toString("utf8"));
      else refuse("badRequest", { why: "the body is not UTF-8" });
    });
    request.once("error", () => refuse("badRequest", { why: "the body ended early" }));
  });
}
