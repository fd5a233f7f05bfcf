import type { Service } from "moleculer";
import type { ActionDefinitions } from "../define-service.ts";
import { paymentFigures } from "./figures.ts";
import { ordersOfKey } from "./key-orders-store.ts";
import type { paymentOperatorActions } from "./operators.contract.ts";
import { parkedPage, removeMark } from "./parked.ts";
import type { PaymentState } from "./payment-state.ts";
import { createProduct, editProduct, listProducts } from "./product-edits.ts";
import { comparedDays, differencesPage, resolveDifference } from "./reconciliation/operators.ts";
import { topics } from "./topic-store.ts";
import { setTopic } from "./topics.ts";

type Payment = Service & PaymentState;

/** The operators' actions on products, topics, parked marks and differences; each call that changes something leaves an audit row. */
export const operatorActions: ActionDefinitions<Payment, typeof paymentOperatorActions> = {
  figures: {
    handler() {
      return paymentFigures(this.mysql);
    },
  },
  ordersOfKey: {
    handler(ctx) {
      return ordersOfKey(this.mysql, ctx.params);
    },
  },
  allProducts: {
    operator: true,
    handler() {
      return listProducts(this);
    },
  },
  createProduct: {
    operator: true,
    handler(ctx) {
      return createProduct(this, ctx.params);
    },
  },
  updateProduct: {
    operator: true,
    handler(ctx) {
      return editProduct(this, ctx.params);
    },
  },
  topics: {
    operator: true,
    async handler() {
      return { list: await topics(this.mysql) };
    },
  },
  setTopic: {
    operator: true,
    async handler(ctx) {
      const { operator: _operator, ...topic } = ctx.params;
      const set = await setTopic(this, topic);
      this.maintenance?.uncreditedOrders.wake();
      return set;
    },
  },
  parkedOrders: {
    operator: true,
    handler(ctx) {
      return parkedPage(this, ctx.params);
    },
  },
  removeMark: {
    operator: true,
    handler(ctx) {
      return removeMark(this, ctx.params);
    },
  },
  comparedDays: {
    operator: true,
    handler() {
      return comparedDays(this, this.clock());
    },
  },
  differences: {
    operator: true,
    handler(ctx) {
      return differencesPage(this, ctx.params);
    },
  },
  resolveDifference: {
    operator: true,
    handler(ctx) {
      return resolveDifference(this, ctx.params);
    },
  },
};
