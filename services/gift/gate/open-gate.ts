import { randomUUID } from "node:crypto";
import type { Service, ServiceBroker } from "moleculer";
import { countSeries, histogramSeries, timeBucketsMs } from "../../../broker/metric-series.ts";
import { limits } from "../../../config/limits.ts";
import { OutgoingHttp } from "../../../mixins/outgoing/outgoing-http.ts";
import { signWebhook } from "../../../mixins/outgoing/sign-webhook.ts";
import { SparseLog } from "../../../mixins/sparse-log.ts";
import { call } from "../../contracts.ts";
import { ExternalRooms } from "../../external-rooms.ts";
import { ExternalUsers } from "../../external-users.ts";
import type { BreakerState } from "./breaker.ts";
import { type GateSettings, readGateSettings } from "./gate-settings.ts";
import { type GateGift, type GateNames, GiftGate } from "./gift-gate.ts";

const gifts = { name: "ovation.gate.gifts", description: "Gifts that the gate was asked about, by outcome" } as const;
const calls = { name: "ovation.gate.calls", description: "Calls to the gate, by outcome" } as const;
const callTime = { name: "ovation.gate.call.time", description: "Time of a call to the gate" } as const;
const breaker = {
  name: "ovation.gate.breaker",
  description: "0: the gate is asked; 1: a single call tries it; 2: it is not asked since it did not answer",
} as const;

const breakerValue = { closed: 0, halfOpen: 1, open: 2 } as const satisfies Record<BreakerState, number>;

/** The gate as acceptance sees it. */
export interface OpenGate {
  readonly gate: GiftGate;
  /** What becomes of gifts that are `unanswered`. */
  readonly onFailure: GateSettings["onFailure"];
  close(): void;
}

/** Opens the gate of GIFT_GATE_URL; `undefined` where it is unset. @throws Error with the problems of the settings */
export function openGate(service: Service): OpenGate | undefined {
  const settings = readGateSettings();
  if (!settings) return undefined;
  const { url, timeoutMs, onFailure, secret } = settings;
  const { broker, logger } = service;
  const http = new OutgoingHttp({ receivers: "any" });
  const count = registerMetrics(broker);
  const { origin } = new URL(url);
  const failing = new SparseLog<{ why: string }>((about) =>
    logger.warn({ ...about, gate: origin, onFailure }, "the gate did not answer: onFailure decides about its gifts"),
  );
  logger.info({ gate: origin, timeoutMs, onFailure }, "the platform is asked about gifts before they are accepted");
  if (secret === undefined)
    logger.warn({ gate: origin }, "calls to the gate are not signed, so it cannot know who asks: set GIFT_GATE_SECRET");
  const gate = new GiftGate(timeoutMs, {
    names: platformNames(broker, timeoutMs),
    post: (body) => post(http, settings, body),
    nowMs: () => performance.now(),
    called(ms, failure) {
      count.call(failure === undefined, ms);
      if (failure !== undefined) failing.add({ why: failure });
    },
    decided: (verdict) => count.gift(typeof verdict === "string" ? verdict : "refused"),
    unasked: (why) => failing.add({ why }),
    breakerIs(state) {
      broker.metrics.set(breaker.name, breakerValue[state]);
      const about = { gate: origin, onFailure };
      if (state === "open")
        logger.error(
          { ...about, triedAgainInMs: limits.gift.gate.openMs },
          "the gate is not asked: it does not answer",
        );
      if (state === "closed") logger.info(about, "the gate answers and is asked again");
    },
  });
  return { gate, onFailure, close: () => http.close() };
}

/** One call. Rejects where its answer is not complete. */
async function post(http: OutgoingHttp, { url, timeoutMs, secret }: GateSettings, body: string) {
  const signature = secret === undefined ? {} : signWebhook([secret], `gate_${randomUUID()}`, new Date(), body);
  const headers = { ...signature, "content-type": "application/json" };
  const answer = await http.post({ url, headers, body, timeoutMs, maxAnswerBytes: limits.gift.gate.answerBytes });
  if (answer.ending !== "complete") throw new Error(`its answer is not complete: ${answer.ending}`);
  return answer;
}

/** The platform's ids, which this node remembers. A call that takes longer than the gate may is of no use. */
function platformNames(broker: ServiceBroker, timeout: number): (asked: readonly GateGift[]) => Promise<GateNames> {
  const about = { timeout, tracking: false as const };
  const notAsked = () => Promise.reject(new Error("the gate's ids are looked up in one direction alone"));
  const users = new ExternalUsers({
    idsOfExternal: notAsked,
    externalIdsOf: (userIds) => call(broker, "user.externalIdsOf", { userIds }, about),
  });
  const rooms = new ExternalRooms({
    idsOfExternal: notAsked,
    externalIdsOf: async (roomIds) => (await call(broker, "living-room.externalIdsOf", { roomIds }, about)).list,
  });
  return async (asked) => {
    const [ofUsers, ofRooms] = await Promise.all([
      users.externalIdsOf(asked.flatMap(({ userId, receiverId }) => [userId, receiverId])),
      rooms.externalIdsOf([...new Set(asked.map(({ roomId }) => roomId))]),
    ]);
    return { users: ofUsers, rooms: ofRooms };
  };
}

function registerMetrics(broker: ServiceBroker) {
  broker.metrics.register({ type: "counter", ...gifts, labelNames: ["outcome"] });
  broker.metrics.register({ type: "counter", ...calls, labelNames: ["outcome"] });
  broker.metrics.register({ type: "histogram", ...callTime, unit: "millisecond", buckets: timeBucketsMs } as never);
  broker.metrics.register({ type: "gauge", ...breaker });
  broker.metrics.set(breaker.name, breakerValue.closed);
  const ofGifts = (outcome: string) => countSeries(broker, gifts.name, { outcome });
  const ofCalls = (outcome: string) => countSeries(broker, calls.name, { outcome });
  const counted = { allowed: ofGifts("allowed"), refused: ofGifts("refused"), unanswered: ofGifts("unanswered") };
  const [answered, failed] = [ofCalls("answered"), ofCalls("failed")];
  const time = histogramSeries(broker, callTime.name, {});
  return {
    gift: (outcome: keyof typeof counted) => counted[outcome](1),
    call(isAnswered: boolean, ms: number) {
      if (isAnswered) answered(1);
      else failed(1);
      time(ms);
    },
  };
}
