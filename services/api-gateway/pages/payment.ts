import type { IncomingHttpHeaders } from "node:http";
import { z } from "zod";
import { fail } from "../../../broker/failure.ts";
import { limits } from "../../../config/limits.ts";
import { call } from "../../contracts.ts";
import { orderId } from "../../fields.ts";
import { safeParse } from "../../safe-parse.ts";
import { sendText } from "../answer.ts";
import { countRequest } from "../dispatch.ts";
import type { Gateway, Serve } from "../gateway.ts";
import { readText } from "../request/body.ts";
import { clientOf } from "../request/client.ts";
import { parseForm, queryOf, requestFields } from "../request/fields.ts";
import type { GatewayRequest } from "../request-context.ts";
import { cashierHeaders } from "./security.ts";

/** The headers that a provider may have signed. What opens doors here is not handed on. */
function noticeHeaders(headers: IncomingHttpHeaders): Record<string, string> {
  const { cookie, authorization, ...rest } = headers;
  const entries = Object.entries(rest).map(([name, value]) => [name, Array.isArray(value) ? value.join(", ") : value]);
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}

function noticeQuery(request: GatewayRequest): Record<string, string> {
  const query = parseForm(queryOf(request));
  if (Object.values(query).some(Array.isArray)) throw fail("badRequest", { why: "a query field is there twice" });
  return { ...(query as Record<string, string>) };
}

/**
 * Hands a provider's notice on as it came, and its answer back as it is. No limit by address: a provider calls from few
 * of them, and a notice that is turned away is a recharge that comes late.
 */
export function serveNotice(channel: "wechat" | "alipay" | "cashier"): Serve {
  return async (_gateway, request, response) => {
    const answer = await call(request.$ctx, "payment.notice", {
      channel,
      query: noticeQuery(request),
      body: await readText(request, limits.payment.noticeBodyBytes),
      headers: noticeHeaders(request.headers),
      ip: clientOf(request).address,
    });
    if (answer === null) throw fail("notFound");
    const { httpStatus, contentType, body } = answer;
    sendText(response, request.context, { status: httpStatus, contentType, body });
  };
}

const cashierForm = z.object({ orderId, action: z.string().max(20).optional() });

/** Fails: tooMany, badRequest, tooLarge; notFound where no such order can be. */
async function cashierFields(gateway: Gateway, request: GatewayRequest) {
  await countRequest(gateway, request);
  const fields = await requestFields(request, ["orderId", "action"], limits.http.bodyBytes);
  const checked = safeParse(cashierForm, fields);
  if (!checked.success) throw fail("notFound");
  return checked.data;
}

export const serveCashierPage: Serve = async (gateway, request, response) => {
  const { orderId } = await cashierFields(gateway, request);
  const { html } = await call(request.$ctx, "payment.cashierPage", { orderId });
  sendText(response, request.context, { contentType: "text/html; charset=utf-8", body: html, headers: cashierHeaders });
};

export const serveCashierPress: Serve = async (gateway, request, response) => {
  const { orderId, action = "" } = await cashierFields(gateway, request);
  const { html } = await call(request.$ctx, "payment.cashierPress", { orderId, action });
  sendText(response, request.context, { contentType: "text/html; charset=utf-8", body: html, headers: cashierHeaders });
};
