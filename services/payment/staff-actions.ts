import type { Service } from "moleculer";
import { fail } from "../../broker/failure.ts";
import type { ActionDefinitions } from "../define-service.ts";
import type { erasureActions } from "../erasure.contract.ts";
import { orderIdOf } from "./order.ts";
import type { PaymentState } from "./payment-state.ts";
import type { paymentStaffActions } from "./staff.contract.ts";
import { ordersOfTransaction, ordersOfUser, partsOfOrder, staffOrderById } from "./story-store.ts";

/** What staff look up of orders. Nothing here changes an order. */
export const staffActions: ActionDefinitions<
  Service & PaymentState,
  Omit<typeof paymentStaffActions, keyof typeof erasureActions>
> = {
  ordersOfUser: {
    handler(ctx) {
      return ordersOfUser(this.mysql, ctx.params);
    },
  },
  findOrders: {
    async handler(ctx) {
      const { q } = ctx.params;
      const order = await staffOrderById(this.mysql, orderIdOf(q));
      const ofPayment = await ordersOfTransaction(this.mysql, q);
      const others = ofPayment.filter(({ orderId }) => orderId !== order?.orderId);
      return { list: [...(order ? [order] : []), ...others] };
    },
  },
  orderStory: {
    async handler(ctx) {
      const { orderId } = ctx.params;
      // One moment: an order that is paid between two reads would be paid without its webhook.
      const story = await this.mysql.snapshot(async (db) => {
        const order = await staffOrderById(db, orderId);
        if (!order) throw fail("payOrderUnknown", { orderId });
        return { order, ...(await partsOfOrder(db, orderId)) };
      });
      const kept = await this.outbox.messagesOf(orderId);
      const messages = kept.map(({ subject, writtenTime, sentTime, sequence }) => ({
        ...{ subject, writtenTime: writtenTime.toISOString(), sentTime: sentTime?.toISOString() ?? null, sequence },
      }));
      return { ...story, messages };
    },
  },
};
