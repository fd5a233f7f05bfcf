import type { ServiceBroker } from "moleculer";
import { fail, isUnavailable } from "../../broker/failure.ts";
import { limits } from "../../config/limits.ts";
import { BatchLoader } from "../../mixins/batch-loader.ts";
import { call } from "../contracts.ts";
import type { Ticket } from "../im-router/im-router.contract.ts";

/** Asks twice, since a router that has just died is listed for some seconds. An unused ticket does no harm. */
async function ticketsFor(broker: ServiceBroker, userIds: string[]): Promise<Ticket[]> {
  const options = { timeout: limits.im.tokenTimeoutMs, tracking: false } as const;
  try {
    return (await call(broker, "im-router.tickets", { userIds }, options)).tickets;
  } catch (error) {
    if (!isUnavailable(error)) throw error;
    return (await call(broker, "im-router.tickets", { userIds }, options)).tickets;
  }
}

interface Asked {
  userId: string;
  /** By `performance.now()`. */
  at: number;
}

/**
 * Tickets for IM connections. Users who ask while calls to the routers run share the next call: when an im-server dies,
 * thousands ask at once, and with a call for each the last ones would wait longer than a call may take. Users who have
 * waited `limits.im.ticketWaitMs` are rejected without a call, so that slow routers work only for clients that still
 * wait.
 */
export class ImTickets {
  private readonly loader: BatchLoader<Ticket>;
  /** By the number of the request: a token works once, so two requests of a user need two. */
  private readonly asked = new Map<string, Asked>();
  private requests = 0;

  constructor(broker: ServiceBroker) {
    const load = async (keys: string[]) => {
      const since = performance.now() - limits.im.ticketWaitMs;
      const due = keys.flatMap((key) => {
        const { userId, at } = this.asked.get(key) as Asked;
        return at >= since ? [{ key, userId }] : [];
      });
      if (due.length === 0) return new Map<string, Ticket>();
      const userIds = due.map(({ userId }) => userId);
      const tickets = await ticketsFor(broker, userIds);
      return new Map(due.map(({ key }, i) => [key, tickets[i] as Ticket]));
    };
    this.loader = new BatchLoader(load, { keys: limits.im.ticketsPerCall, queries: limits.im.ticketCallsInFlight });
  }

  /** Fails: unavailable. */
  async get(userId: string): Promise<Ticket> {
    const key = String(this.requests++);
    this.asked.set(key, { userId, at: performance.now() });
    try {
      const ticket = await this.loader.get(key);
      if (!ticket) throw fail("unavailable", { what: "im-router", why: "too many wait for a token" });
      return ticket;
    } finally {
      this.asked.delete(key);
    }
  }
}

const ofBroker = new WeakMap<ServiceBroker, ImTickets>();

/** The tickets of a gateway. */
export function imTickets(broker: ServiceBroker): Pick<ImTickets, "get"> {
  let tickets = ofBroker.get(broker);
  if (!tickets) {
    tickets = new ImTickets(broker);
    ofBroker.set(broker, tickets);
  }
  return tickets;
}
