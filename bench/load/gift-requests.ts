import { randomBytes } from "node:crypto";
import type { Sender, Target } from "./jobs.ts";

/** A gift by the user's own request. */
const own = ({ token, roomId, receiverId }: Sender, giftId: number, requestId: string) => ({
  path: "/live/api/gift/send",
  headers: [`Authorization: Bearer ${token}`],
  body: { giftId, roomId, receiverId, type: 0, count: 1, requestId },
});

/** A gift by the platform for the user, whom and whose room it names by its own ids. */
const forUser = (apiKey: string, { externalIds }: Sender, giftId: number, requestId: string) => ({
  path: "/live/server/v1/gifts/send",
  headers: [`Authorization: Bearer ${apiKey}`, `Idempotency-Key: ${requestId}`],
  body: { ...externalIds, giftId, count: 1, requestId },
});

/**
 * Requests of gift/send as bytes, for the senders in turn; with `apiKey` those of gifts/send in the server API. Each has a
 * new request id of constant length, so the HTTP head of a sender's requests is made once.
 */
export function giftRequests(
  { host, port }: Pick<Target, "host" | "port">,
  senders: readonly Sender[],
  giftId: number,
  apiKey?: string,
): () => string {
  const run = randomBytes(4).toString("hex");
  const idOf = (n: number) => `bench-${run}-${String(n).padStart(10, "0")}`;
  const templates = senders.map((sender) => {
    const id = idOf(0);
    const { path, headers, body } =
      apiKey === undefined ? own(sender, giftId, id) : forUser(apiKey, sender, giftId, id);
    const json = JSON.stringify(body);
    const text =
      `POST ${path} HTTP/1.1\r\nHost: ${host}:${port}\r\n${headers.join("\r\n")}\r\n` +
      `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(json)}\r\n\r\n${json}`;
    return text.split(id);
  });
  let sent = 0;
  return () => {
    const template = templates[sent % templates.length] as string[];
    return template.join(idOf(sent++));
  };
}
