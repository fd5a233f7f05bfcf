import { randomBytes } from "node:crypto";
import type { Sender, Target } from "./jobs.ts";

/**
 * Requests of gift/send as bytes, for the senders in turn. Each has a new request id of constant length, so the HTTP head
 * of a sender's requests is made once.
 */
export function giftRequests(
  { host, port }: Pick<Target, "host" | "port">,
  senders: readonly Sender[],
  giftId: number,
): () => string {
  const run = randomBytes(4).toString("hex");
  const idOf = (n: number) => `bench-${run}-${String(n).padStart(10, "0")}`;
  const templates = senders.map(({ token, roomId, receiverId }) => {
    const body = (id: string) => JSON.stringify({ giftId, roomId, receiverId, type: 0, count: 1, requestId: id });
    const text =
      `POST /live/api/gift/send HTTP/1.1\r\nHost: ${host}:${port}\r\nAuthorization: Bearer ${token}\r\n` +
      `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body(idOf(0)))}\r\n\r\n${body(idOf(0))}`;
    const [before = "", after = ""] = text.split(idOf(0));
    return { before, after };
  });
  let sent = 0;
  return () => {
    const template = templates[sent % templates.length] as { before: string; after: string };
    return template.before + idOf(sent++) + template.after;
  };
}
