import { fail } from "../../broker/failure.ts";
import { config } from "../../config/config.ts";
import { limits } from "../../config/limits.ts";
import { healthMixin } from "../../mixins/health.mixin.ts";
import { type JetStreamState, jetstreamMixin } from "../../mixins/jetstream.mixin.ts";
import { type MysqlState, mysqlMixin } from "../../mixins/mysql.mixin.ts";
import { call } from "../contracts.ts";
import { migrationFolders } from "../databases.ts";
import { defineService } from "../define-service.ts";
import { onEvent } from "../durable-event.ts";
import { settledSince } from "../settled-gifts.ts";
import { smsLoginIsOn } from "../sms-login.ts";
import { eventStream } from "../streams.ts";
import { giftFailedNotifications } from "./gift-failed.ts";
import { creditedSince } from "./missed.ts";
import { notificationActions } from "./notification.contract.ts";
import { paymentReceivedNotification } from "./payment-received.ts";
import { consoleSms, noSms, SmsNotTaken, type SmsProvider, SmsUnanswered, webhookSms } from "./sms-provider.ts";

interface State extends MysqlState, JetStreamState {
  sms: SmsProvider;
}

function configuredProvider(): SmsProvider {
  const { SMS_PROVIDER, SMS_WEBHOOK_URL, SMS_WEBHOOK_TOKEN } = config();
  if (!smsLoginIsOn()) return noSms;
  if (SMS_PROVIDER === "console") return consoleSms;
  if (!SMS_WEBHOOK_URL) throw new Error("SMS_WEBHOOK_URL is needed while SMS_PROVIDER is webhook");
  return webhookSms({
    url: SMS_WEBHOOK_URL,
    token: SMS_WEBHOOK_TOKEN,
    timeoutMs: limits.notification.smsWebhookTimeoutMs,
  });
}

const missedGifts = settledSince(({ broker }, next) => call(broker, "gift.settledSince", next));

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
          const mayHaveHappened = error instanceof SmsUnanswered;
          if (!mayHaveHappened && !(error instanceof SmsNotTaken)) throw error;
          const outcome = mayHaveHappened ? "nobody knows whether a login code was sent" : "a login code was not sent";
          this.logger.error({ phoneEnd, requestId: ctx.requestID, err: error }, outcome);
          throw fail("unavailable", { what: "SMS provider", mayHaveHappened });
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
    paymentReceived: onEvent(
      "wallet.credited",
      async function ({ data, requestId }) {
        await call(this.broker, "im-router.sendToUser", paymentReceivedNotification(data), { requestID: requestId });
      },
      { inFlight: limits.notification.eventsInFlight, fromBooks: creditedSince },
    ),
    giftFailed: onEvent(
      "gift.settled",
      async function ({ data, requestId }) {
        const notifications = giftFailedNotifications(data.gifts);
        if (notifications.length > 0)
          await call(this.broker, "im-router.sendToUsers", { notifications }, { requestID: requestId });
      },
      { inFlight: limits.notification.eventsInFlight, fromBooks: missedGifts },
    ),
  },

  created() {
    this.sms = configuredProvider();
  },
});
