import type { HttpReply } from "./http-reply.ts";

/** `unknown`: the gift may have been accepted. Its answer names the order, so that the client can ask for it. */
export type Outcome = "accepted" | "refused" | "unknown";

const orderNamed = '"data":{"orderId":';

/** The outcome of an answered request; `success` are the first characters of a successful answer's body. */
export function outcomeOf({ status, body }: HttpReply, success: string): Outcome {
  if (status === 200 && body.startsWith(success)) return "accepted";
  return status === 503 && body.includes(orderNamed) ? "unknown" : "refused";
}

/** Status, code and text of an answer, without what differs from request to request. */
export function reasonOf({ status, body }: HttpReply): string {
  return `${status} ${body.split(',"data":', 1)[0]?.slice(0, 60)}${body.includes(orderNamed) ? ", names the order" : ""}`;
}

/** The order that an answer names. */
export function orderIn({ body }: HttpReply): string | undefined {
  return /"data":\{"orderId":"([^"]+)"/.exec(body)?.[1];
}
