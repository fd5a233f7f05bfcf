import { fail } from "../../broker/failure.ts";
import { config } from "../../config/config.ts";
import { limits } from "../../config/limits.ts";
import { healthMixin } from "../../mixins/health.mixin.ts";
import { type JetStreamState, jetstreamMixin } from "../../mixins/jetstream.mixin.ts";
import { type MysqlState, mysqlMixin } from "../../mixins/mysql.mixin.ts";
import { call } from "../contracts.ts";
import { migrationFolders } from "../databases.ts";
import { defineService } from "../define-service.ts";
import { eventData } from "../durable-event.ts";
import { eventStream } from "../streams.ts";
import { type WalletEvents, walletEvents } from "../wallet/wallet.contract.ts";
import { notificationActions } from "./notification.contract.ts";
import { paymentNotice } from "./payment-notice.ts";
import { consoleSms, SmsNotTaken, type SmsProvider, webhookSms } from "./sms-provider.ts";

interface State extends MysqlState, JetStreamState {
  sms: SmsProvider;
}

function configuredProvider(): SmsProvider {
  const { SMS_PROVIDER, SMS_WEBHOOK_URL, SMS_WEBHOOK_TOKEN } = config();
  if (SMS_PROVIDER === "console") return consoleSms;
  if (!SMS_WEBHOOK_URL) throw new Error("SMS_WEBHOOK_URL is needed while SMS_PROVIDER is webhook");
  return webhookSms({
    url: SMS_WEBHOOK_URL,
    token: SMS_WEBHOOK_TOKEN,
    timeoutMs: limits.notification.smsWebhookTimeoutMs,
  });
}

export default defineService<"notification", State>({
  name: "notification",
  contract: notificationActions,
  mixins: [mysqlMixin("notification", migrationFolders.notification), jetstreamMixin([eventStream]), healthMixin],

  actions: {
    sendLoginCode: {
      async handler(ctx) {
        const { phone, code } = ctx.params;
        const phoneEnd = phone.slice(-4);
        try {
          await this.sms.sendLoginCode(phone, code);
        } catch (error) {
          if (!(error instanceof SmsNotTaken)) throw error;
          this.logger.error({ phoneEnd, requestId: ctx.requestID, err: error }, "a login code was not sent");
          throw fail("unavailable", { what: "SMS provider" });
        }
        const text = this.sms.shownToCaller
          ? "a login code is shown to the caller: the console provider sends nothing"
          : "a login code was sent";
        this.logger.info({ phoneEnd, requestId: ctx.requestID }, text);
        return { shownToCaller: this.sms.shownToCaller };
      },
    },
  },

  channels: {
    paymentReceived: {
      stream: eventStream,
      subject: "event.wallet.credited",
      durable: "notification-credited",
      // One by one: the notice of a payer does not wait for that of another.
      batch: 1,
      parse: eventData(walletEvents["wallet.credited"]),
      batchesInFlight: limits.notification.noticesInFlight,
      async handler(messages) {
        for (const { data, requestId } of messages) {
          const notice = paymentNotice(data as WalletEvents["wallet.credited"]);
          await call(this.broker, "im-router.sendToUser", notice, { requestID: requestId });
        }
      },
    },
  },

  created() {
    this.sms = configuredProvider();
  },
});
