import type { Database } from "../../../mixins/mysql/database.ts";
import { type Addresses, notifyBase, pageBase } from "../addresses.ts";
import { Cashier } from "../cashier/cashier.ts";
import type { DeskLog } from "../desk.ts";
import { cashierProvider } from "./cashier-provider.ts";
import type { PayChannel, PaymentProvider, Providers } from "./provider.ts";

interface ChannelSettings extends Addresses {
  readonly CASHIER_SECRET?: string;
}

/**
 * Opens the channels whose settings are there; a channel that is not among them takes no orders and no notices. The
 * cashier, where it is open, is at work from now on: the caller stops it.
 */
export function openProviders(
  settings: ChannelSettings,
  mysql: Database,
  logger: DeskLog,
): { providers: Providers; cashier?: Cashier } {
  const providers = new Map<PayChannel, PaymentProvider>();
  const secret = settings.CASHIER_SECRET;
  if (!secret) return { providers };
  const notifyUrl = `${notifyBase(settings)}/live/bank/payNotify/cashierNotify`;
  const cashier = new Cashier({ mysql, logger, secret, pageBase: pageBase(settings), notifyUrl });
  providers.set("cashier", cashierProvider({ secret, collect: cashier.collect.bind(cashier) }));
  return { providers, cashier };
}
