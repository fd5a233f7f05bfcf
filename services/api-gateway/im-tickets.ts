import type { ServiceBroker } from "moleculer";
import { isUnavailable } from "../../broker/failure.ts";
import { limits } from "../../config/limits.ts";
import { BatchLoader } from "../../mixins/batch-loader.ts";
import { call } from "../contracts.ts";
import type { Ticket } from "../im-router/im-router.contract.ts";

/** Any router may answer: one that has just died is still listed for some seconds. An unused ticket does no harm. */
async function ticketsFor(broker: ServiceBroker, userIds: string[]): Promise<Ticket[]> {
  const options = { timeout: limits.im.tokenTimeoutMs, tracking: false } as const;
  try {
    return (await call(broker, "im-router.tickets", { userIds }, options)).tickets;
  } catch (error) {
    if (!isUnavailable(error)) throw error;
    return (await call(broker, "im-router.tickets", { userIds }, options)).tickets;
  }
}

/**
 * Tickets for IM connections. Users who ask while calls to the routers run share the next call: when an im-server dies,
 * thousands ask at once, and with a call for each the last ones would wait longer than a call may take.
 */
export class ImTickets {
  private readonly loader: BatchLoader<Ticket>;
  private asked = 0;

  constructor(broker: ServiceBroker) {
    const load = async (requests: string[]) => {
      const tickets = await ticketsFor(broker, requests.map(userOf));
      return new Map(tickets.map((ticket, i) => [requests[i] as string, ticket]));
    };
    this.loader = new BatchLoader(load, { keys: limits.im.ticketsPerCall, queries: limits.im.ticketCallsInFlight });
  }

  /** A token works once, so each request of a user is a key of its own. */
  async get(userId: string): Promise<Ticket> {
    return (await this.loader.get(`${this.asked++} ${userId}`)) as Ticket;
  }
}

function userOf(request: string): string {
  return request.slice(request.indexOf(" ") + 1);
}

const ofBroker = new WeakMap<ServiceBroker, ImTickets>();

/** The tickets of a gateway. Fails: unavailable. */
export function imTickets(broker: ServiceBroker): Pick<ImTickets, "get"> {
  let tickets = ofBroker.get(broker);
  if (!tickets) {
    tickets = new ImTickets(broker);
    ofBroker.set(broker, tickets);
  }
  return tickets;
}
