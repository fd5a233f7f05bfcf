import { abilityLimits } from "./limits/ability.ts";
import { adminLimits } from "./limits/admin.ts";
import { archiveLimits } from "./limits/archive.ts";
import { attendanceLimits } from "./limits/attendance.ts";
import { backupLimits } from "./limits/backup.ts";
import { battleLimits } from "./limits/battle.ts";
import { booksLimits } from "./limits/books.ts";
import { busLimits } from "./limits/bus.ts";
import { clockLimits } from "./limits/clock.ts";
import { erasureLimits } from "./limits/erasure.ts";
import { giftLimits } from "./limits/gift.ts";
import { httpLimits } from "./limits/http.ts";
import { imLimits } from "./limits/im.ts";
import { jetstreamLimits } from "./limits/jetstream.ts";
import { jwtLimits } from "./limits/jwt.ts";
import { keysLimits } from "./limits/keys.ts";
import { lockLimits } from "./limits/lock.ts";
import { logLimits } from "./limits/log.ts";
import { lookupLimits } from "./limits/lookup.ts";
import { metricsLimits } from "./limits/metrics.ts";
import { mysqlLimits } from "./limits/mysql.ts";
import { notificationLimits } from "./limits/notification.ts";
import { outboxLimits } from "./limits/outbox.ts";
import { outgoingLimits } from "./limits/outgoing.ts";
import { paymentLimits } from "./limits/payment.ts";
import { platformLimits } from "./limits/platform.ts";
import { preflightLimits } from "./limits/preflight.ts";
import { proposalsLimits } from "./limits/proposals.ts";
import { rankLimits } from "./limits/rank.ts";
import { redisLimits } from "./limits/redis.ts";
import { restartsLimits } from "./limits/restarts.ts";
import { retentionLimits } from "./limits/retention.ts";
import { roomLimits } from "./limits/room.ts";
import { rpcLimits } from "./limits/rpc.ts";
import { serversLimits } from "./limits/servers.ts";
import { staffLimits } from "./limits/staff.ts";
import { storesLimits } from "./limits/stores.ts";
import { tracesLimits } from "./limits/traces.ts";
import { userLimits } from "./limits/user.ts";
import { walletLimits } from "./limits/wallet.ts";
import { webhookLimits } from "./limits/webhook.ts";

/**
 * Every bound of the system, with its unit in its name; each part is a file of limits/. A bound that operators may change
 * is a setting (config.ts). The values are part of the contract or of the design: run the tests after a change.
 */
export const limits = Object.freeze({
  http: httpLimits,
  admin: adminLimits,
  log: logLimits,
  restarts: restartsLimits,
  clock: clockLimits,
  preflight: preflightLimits,
  ability: abilityLimits,
  rpc: rpcLimits,
  bus: busLimits,
  servers: serversLimits,
  mysql: mysqlLimits,
  redis: redisLimits,
  lock: lockLimits,
  stores: storesLimits,
  jetstream: jetstreamLimits,
  metrics: metricsLimits,
  traces: tracesLimits,
  outbox: outboxLimits,
  outgoing: outgoingLimits,
  keys: keysLimits,
  user: userLimits,
  jwt: jwtLimits,
  room: roomLimits,
  attendance: attendanceLimits,
  notification: notificationLimits,
  gift: giftLimits,
  wallet: walletLimits,
  books: booksLimits,
  archive: archiveLimits,
  payment: paymentLimits,
  im: imLimits,
  battle: battleLimits,
  rank: rankLimits,
  platform: platformLimits,
  webhook: webhookLimits,
  lookup: lookupLimits,
  staff: staffLimits,
  proposals: proposalsLimits,
  backup: backupLimits,
  erasure: erasureLimits,
  retention: retentionLimits,
});
