import { setTimeout as pause } from "node:timers/promises";
import { HttpConnection } from "../../bench/load/http-connection.ts";
import type { HttpReply } from "../../bench/load/http-reply.ts";

const host = "127.0.0.1";
/** More than the entrance waits for a gateway. */
const answerMs = 15_000;
const firstPauseMs = 100;
const mostPauseMs = 2_000;

/** One user's client: one request at a time, on a connection that is kept while it can be. */
export class Client {
  private readonly port: number;
  private readonly head: string;
  private connection: HttpConnection | undefined;

  constructor(port: number, token: string) {
    this.port = port;
    this.head = `Host: ${host}:${port}\r\nAuthorization: Bearer ${token}\r\n`;
  }

  post(path: string, body: object): Promise<HttpReply> {
    return this.send(path, "application/json", JSON.stringify(body));
  }

  /** Rejects where there is no answer: the request may have been carried out. */
  async send(path: string, type: string, text: string): Promise<HttpReply> {
    if (!this.connection?.isOpen) this.connection = await HttpConnection.open(host, this.port);
    const { connection } = this;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`no answer within ${answerMs / 1000} s`)), answerMs);
    });
    const request =
      `POST ${path} HTTP/1.1\r\n${this.head}Content-Type: ${type}\r\n` +
      `Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`;
    const answer = connection.ask(request);
    answer.catch(() => undefined);
    try {
      return await Promise.race([answer, late]);
    } catch (error) {
      this.close();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  close(): void {
    this.connection?.close();
    this.connection = undefined;
  }
}

/**
 * A reply as `503`, `200/10012` (the code of the envelope where it differs), `503 names the order`, `503 of the entrance`; an
 * error by its code.
 */
export function shownReply(reply: HttpReply | Error): string {
  if (reply instanceof Error) return (reply as NodeJS.ErrnoException).code ?? reply.message;
  const code = envelopeOf(reply)?.code;
  const named = reply.status === 503 && reply.body.includes('"orderId":"') ? " names the order" : "";
  const who = code === undefined ? " of the entrance" : "";
  return `${reply.status}${code === undefined || code === reply.status ? "" : `/${code}`}${named}${who}`;
}

/** The body of an answer of Ovation, none of the entrance's own. */
export function envelopeOf({ body }: HttpReply): { code: number; data: Record<string, unknown> | null } | undefined {
  try {
    const { code, data } = JSON.parse(body);
    return typeof code === "number" ? { code, data } : undefined;
  } catch {
    return undefined;
  }
}

/** Whether another try may end otherwise: nobody decided, or the server asks to come later. */
export function isPassing(reply: HttpReply | Error): boolean {
  return reply instanceof Error || reply.status >= 500 || reply.status === 429 || reply.status === 408;
}

/** Growing pauses with full jitter. */
export async function backOff(tries: number): Promise<void> {
  await pause(Math.random() * Math.min(mostPauseMs, firstPauseMs * 2 ** tries));
}
