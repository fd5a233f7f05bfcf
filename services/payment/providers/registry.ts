/** All payment providers: each is a folder, and a line here. */
export { alipay } from "./alipay/alipay.ts";
export { cashier } from "./cashier/cashier.ts";
export { wechat } from "./wechat/wechat.ts";
