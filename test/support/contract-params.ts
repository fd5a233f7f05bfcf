import { giftParams } from "../../services/gift/gift.contract.ts";
import { imRouterParams } from "../../services/im-router/im-router.contract.ts";
import { imServerParams } from "../../services/im-server/im-server.contract.ts";
import { livingRoomParams } from "../../services/living-room/living-room.contract.ts";
import { notificationParams } from "../../services/notification/notification.contract.ts";
import { paymentParams } from "../../services/payment/payment.contract.ts";
import { userParams } from "../../services/user/user.contract.ts";
import { walletParams } from "../../services/wallet/wallet.contract.ts";

/** What the actions of every service take, by service and name. */
export const contractParams: Readonly<Record<string, Readonly<Record<string, Record<string, unknown>>>>> = {
  user: userParams,
  "living-room": livingRoomParams,
  gift: giftParams,
  wallet: walletParams,
  payment: paymentParams,
  "im-router": imRouterParams,
  "im-server": imServerParams,
  notification: notificationParams,
};
