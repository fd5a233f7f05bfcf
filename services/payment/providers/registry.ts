/** Every payment provider there is: its folder, and a line here. */
export { alipay } from "./alipay/alipay.ts";
export { cashier } from "./cashier/cashier.ts";
export { wechat } from "./wechat/wechat.ts";
