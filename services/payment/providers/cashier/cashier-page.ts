import { yuan } from "../../yuan.ts";
import type { Collection } from "./collection.ts";

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};
const escapeHtml = (text: string) => text.replace(/[&<>"']/g, (character) => entities[character] as string);

/** The random end of an order id: enough for people to tell orders apart. */
const shortId = (orderId: string) => (orderId.length > 12 ? `…${orderId.slice(-12)}` : orderId);

function choice(orderId: string): string {
  const target = escapeHtml(`/sandbox/cashier?orderId=${encodeURIComponent(orderId)}`);
  return `<form class="cashier-actions" method="post" action="${target}">
        <input type="hidden" name="orderId" value="${escapeHtml(orderId)}">
        <button class="cashier-pay" type="submit" name="action" value="pay">确认支付</button>
        <button class="cashier-cancel" type="submit" name="action" value="cancel">取消支付</button>
      </form>`;
}

function outcome(action: "pay" | "cancel"): string {
  const [mark, title, text] =
    action === "pay"
      ? ["✓", "支付成功", "旗鱼币将在几秒内到账，可以关闭此页。"]
      : ["✕", "已取消支付", "没有扣款，可以关闭此页。"];
  return `<div class="cashier-result cashier-result-${action}" role="status">
        <span class="cashier-mark" aria-hidden="true">${mark}</span>
        <h2>${title}</h2>
        <p>${text}</p>
        <a href="/">返回首页</a>
      </div>`;
}

/**
 * The cashier's page of an order. It has no script and no inline style, so it works under the strictest content policy.
 */
export function cashierPage({ orderId, name, amount, action }: Collection): string {
  return `<!doctype html>
<html lang="zh-CN">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <meta name="robots" content="noindex">
    <title>沙箱收银台</title>
    <link rel="icon" href="/favicon.svg" type="image/svg+xml">
    <link rel="stylesheet" href="/css/cashier.css">
  </head>
  <body>
    <main class="cashier">
      <header class="cashier-header">
        <h1>沙箱收银台</h1>
        <p>仅供本地体验，不会真实扣款</p>
      </header>
      <p class="cashier-amount"><span class="cashier-currency">¥</span>${yuan(amount)}</p>
      <dl class="cashier-details">
        <div><dt>商品</dt><dd>${escapeHtml(name)}</dd></div>
        <div><dt>订单</dt><dd><code>${escapeHtml(shortId(orderId))}</code></dd></div>
      </dl>
      ${action === null ? choice(orderId) : outcome(action)}
    </main>
  </body>
</html>
`;
}
