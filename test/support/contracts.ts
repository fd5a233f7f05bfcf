import type { ActionContracts } from "../../services/action-contract.ts";
import { archiverActions } from "../../services/archiver/archiver.contract.ts";
import { auditorActions } from "../../services/auditor/auditor.contract.ts";
import { battleActions } from "../../services/battle/battle.contract.ts";
import { giftActions } from "../../services/gift/gift.contract.ts";
import { imRouterActions } from "../../services/im-router/im-router.contract.ts";
import { imServerActions } from "../../services/im-server/im-server.contract.ts";
import { livingRoomActions } from "../../services/living-room/living-room.contract.ts";
import { notificationActions } from "../../services/notification/notification.contract.ts";
import { paymentActions } from "../../services/payment/payment.contract.ts";
import { platformActions } from "../../services/platform/platform.contract.ts";
import { provisionerActions } from "../../services/provisioner/provisioner.contract.ts";
import { rankActions } from "../../services/rank/rank.contract.ts";
import { staffActions } from "../../services/staff/staff.contract.ts";
import { userActions } from "../../services/user/user.contract.ts";
import { walletActions } from "../../services/wallet/wallet.contract.ts";
import { webhookActions } from "../../services/webhook/webhook.contract.ts";

/** What every service offers, by its name. */
export const contracts: Readonly<Record<string, ActionContracts>> = {
  user: userActions,
  "living-room": livingRoomActions,
  gift: giftActions,
  wallet: walletActions,
  payment: paymentActions,
  "im-router": imRouterActions,
  "im-server": imServerActions,
  notification: notificationActions,
  auditor: auditorActions,
  battle: battleActions,
  rank: rankActions,
  archiver: archiverActions,
  platform: platformActions,
  webhook: webhookActions,
  staff: staffActions,
  provisioner: provisionerActions,
};
