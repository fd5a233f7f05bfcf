import type { IncomingHttpHeaders } from "node:http";
import { fail } from "../../../broker/failure.ts";
import { limits } from "../../../config/limits.ts";
import { sendText } from "../../../mixins/http/answer.ts";
import { readText } from "../../../mixins/http/request/body.ts";
import { clientOf } from "../../../mixins/http/request/client.ts";
import { parseForm, queryOf, requestFields } from "../../../mixins/http/request/fields.ts";
import type { GatewayRequest } from "../../../mixins/http/request-context.ts";
import { call } from "../../contracts.ts";
import { providers, webhookPath } from "../../payment/providers.contract.ts";
import { safeParse } from "../../safe-parse.ts";
import { countRequest } from "../dispatch.ts";
import type { Route, Serve } from "../gateway.ts";
import { providerPageHeaders } from "./security.ts";

type Provider = (typeof providers)[number];

/** The headers that a provider may have signed. Credentials of this system are not passed on. */
function webhookHeaders(headers: IncomingHttpHeaders): Record<string, string> {
  const { cookie, authorization, ...rest } = headers;
  const entries = Object.entries(rest).map(([name, value]) => [name, Array.isArray(value) ? value.join(", ") : value]);
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}

function webhookQuery(request: GatewayRequest): Record<string, string> {
  const query = parseForm(queryOf(request));
  if (Object.values(query).some(Array.isArray)) throw fail("badRequest", { why: "a query field occurs twice" });
  return { ...(query as Record<string, string>) };
}

/**
 * Passes a provider's webhook on as received, and returns the answer unchanged. There is no limit by address: a
 * provider calls from a few addresses, and a refused webhook delays a recharge.
 */
function serveWebhook({ name: channel }: Provider): Serve {
  return async (_gateway, request, response) => {
    const answer = await call(request.$ctx, "payment.webhook", {
      channel,
      query: webhookQuery(request),
      body: await readText(request, limits.payment.webhookBodyBytes),
      headers: webhookHeaders(request.headers),
      ip: clientOf(request).address,
    });
    if (answer === null) throw fail("notFound");
    const { httpStatus, contentType, body } = answer;
    sendText(response, request.context, { status: httpStatus, contentType, body });
  };
}

/** Fails: tooMany, badRequest, tooLarge; notFound where the fields are not the page's. */
function servePage({ name: channel }: Provider, { fields }: NonNullable<Provider["page"]>, press: boolean): Serve {
  return async (gateway, request, response) => {
    await countRequest(gateway, request);
    const given = await requestFields(request, Object.keys(fields.shape), limits.http.bodyBytes);
    const checked = safeParse(fields, given);
    if (!checked.success) throw fail("notFound");
    const { html } = await call(request.$ctx, "payment.providerPage", {
      ...{ channel, press, fields: checked.data as Record<string, string> },
    });
    const contentType = "text/html; charset=utf-8";
    sendText(response, request.context, { contentType, body: html, headers: providerPageHeaders });
  };
}

/** The webhooks and pages that the payment providers declare. */
export const providerRoutes: readonly Route[] = providers.flatMap((provider) => {
  const { page } = provider;
  const webhook: Route = [`POST ${webhookPath(provider)}`, serveWebhook(provider)];
  if (!page) return [webhook];
  return [
    webhook,
    [`GET ${page.path}`, servePage(provider, page, false)],
    [`POST ${page.path}`, servePage(provider, page, true)],
  ];
});
