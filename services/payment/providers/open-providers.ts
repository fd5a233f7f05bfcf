import { createPrivateKey, createPublicKey } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Database } from "../../../mixins/mysql/database.ts";
import { type Addresses, notifyBase, pageBase } from "../addresses.ts";
import { Cashier } from "../cashier/cashier.ts";
import type { DeskLog } from "../desk.ts";
import { alipayProvider } from "./alipay/alipay-provider.ts";
import { cashierProvider } from "./cashier-provider.ts";
import type { PayChannel, PaymentProvider, Providers } from "./provider.ts";
import { wechatProvider } from "./wechat/wechat-provider.ts";

/** Of a channel that is configured at all, everything is there: the settings are refused otherwise. */
export interface ChannelSettings extends Addresses {
  readonly CASHIER_SECRET?: string;
  readonly CASHIER_BILL_DIR?: string;
  readonly WECHAT_PAY_MCHID?: string;
  readonly WECHAT_PAY_APPID?: string;
  readonly WECHAT_PAY_APIV3_KEY?: string;
  readonly WECHAT_PAY_PRIVATE_KEY?: string;
  readonly WECHAT_PAY_SERIAL_NO?: string;
  readonly WECHAT_PAY_PLATFORM_PUBLIC_KEY?: string;
  readonly WECHAT_PAY_PLATFORM_SERIAL?: string;
  readonly WECHAT_PAY_NEXT_PLATFORM_PUBLIC_KEY?: string;
  readonly WECHAT_PAY_NEXT_PLATFORM_SERIAL?: string;
  readonly WECHAT_PAY_BASE_URL?: string;
  readonly ALIPAY_APP_ID?: string;
  readonly ALIPAY_SELLER_ID?: string;
  readonly ALIPAY_PRIVATE_KEY?: string;
  readonly ALIPAY_PUBLIC_KEY?: string;
  readonly ALIPAY_GATEWAY?: string;
}

const noticePath = (settings: ChannelSettings, name: string) => `${notifyBase(settings)}/live/bank/payNotify/${name}`;

/** WeChat Pay, where it is configured. */
export function wechatOf(settings: ChannelSettings): PaymentProvider | undefined {
  const {
    WECHAT_PAY_MCHID: mchId,
    WECHAT_PAY_APPID: appId,
    WECHAT_PAY_APIV3_KEY: apiV3Key,
    WECHAT_PAY_PRIVATE_KEY: privateKey,
    WECHAT_PAY_SERIAL_NO: serialNo,
    WECHAT_PAY_PLATFORM_PUBLIC_KEY: platformKey,
    WECHAT_PAY_PLATFORM_SERIAL: platformSerial,
    WECHAT_PAY_NEXT_PLATFORM_PUBLIC_KEY: nextKey,
    WECHAT_PAY_NEXT_PLATFORM_SERIAL: nextSerial,
    WECHAT_PAY_BASE_URL: baseUrl = "https://api.mch.weixin.qq.com",
  } = settings;
  if (!mchId || !appId || !apiV3Key || !privateKey || !serialNo || !platformKey || !platformSerial) return;
  const platformKeys = new Map([[platformSerial, createPublicKey(platformKey)]]);
  if (nextKey && nextSerial) platformKeys.set(nextSerial, createPublicKey(nextKey));
  return wechatProvider({
    account: {
      mchId,
      appId,
      apiV3Key,
      serialNo,
      privateKey: createPrivateKey(privateKey),
      platformSerial,
      platformKeys,
    },
    baseUrl: baseUrl.replace(/\/+$/, ""),
    notifyUrl: noticePath(settings, "wxNotify"),
  });
}

/** Alipay, where it is configured. */
export function alipayOf(settings: ChannelSettings): PaymentProvider | undefined {
  const {
    ALIPAY_APP_ID: appId,
    ALIPAY_SELLER_ID: sellerId,
    ALIPAY_PRIVATE_KEY: privateKey,
    ALIPAY_PUBLIC_KEY: alipayKey,
    ALIPAY_GATEWAY: gateway = "https://openapi.alipay.com/gateway.do",
  } = settings;
  if (!appId || !sellerId || !privateKey || !alipayKey) return;
  const keys = { privateKey: createPrivateKey(privateKey), alipayKey: createPublicKey(alipayKey) };
  return alipayProvider({
    account: { appId, sellerId, ...keys },
    gateway,
    notifyUrl: noticePath(settings, "aliNotify"),
  });
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
  const real = [wechatOf(settings), alipayOf(settings)].filter((provider) => provider !== undefined);
  const providers = new Map<PayChannel, PaymentProvider>(real.map((provider) => [provider.channel, provider]));
  const secret = settings.CASHIER_SECRET;
  if (!secret) return { providers };
  const notifyUrl = noticePath(settings, "cashierNotify");
  const billFolder = settings.CASHIER_BILL_DIR ?? join(tmpdir(), `${mysql.name}-bills`);
  const cashier = new Cashier({ mysql, logger, secret, pageBase: pageBase(settings), notifyUrl, billFolder });
  providers.set("cashier", cashierProvider(secret, cashier));
  return { providers, cashier };
}
