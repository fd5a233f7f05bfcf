import type { Service } from "moleculer";
import { fail } from "../../broker/failure.ts";
import { config } from "../../config/config.ts";
import { limits } from "../../config/limits.ts";
import type { MysqlState } from "../../mixins/mysql.mixin.ts";
import { beijingDay, countCode, uncountCode } from "./sms-day-store.ts";
import { insertSms, loggedInFrom, unusedCodes } from "./sms-store.ts";

const sentCounter = { name: "ovation.sms.sent", description: "Login codes that were sent" } as const;
const unsentCounter = {
  name: "ovation.sms.unsent",
  description: "Login codes that the provider did not take",
} as const;
const refusedCounter = {
  name: "ovation.sms.refused",
  description: "Login codes that were not sent: for the limit of their phone, or for the budget of the day",
} as const;
const gauges = {
  today: {
    name: "ovation.sms.today",
    description: "Login codes of this day in Beijing, as of the last one; 0 without a budget",
  },
  budget: { name: "ovation.sms.budget", description: "SMS_BUDGET_PER_DAY; 0: none" },
} as const;

/** A code that may be sent. */
export interface CountedSms {
  readonly smsId: number;
  readonly day: string;
}

/** How many login codes are sent in a day: to each phone, and to all together. The database decides. */
export class SmsBudget {
  private readonly service: Service & MysqlState;
  private loggedAt = Number.NEGATIVE_INFINITY;
  private loggedShare = 0;

  constructor(service: Service & MysqlState) {
    this.service = service;
    const { metrics } = service.broker;
    for (const counter of [sentCounter, unsentCounter]) {
      metrics.register({ type: "counter", ...counter });
      metrics.increment(counter.name, {}, 0);
    }
    metrics.register({ type: "counter", ...refusedCounter, labelNames: ["why"] });
    for (const why of ["phone", "budget"]) metrics.increment(refusedCounter.name, { why }, 0);
    for (const gauge of Object.values(gauges)) metrics.register({ type: "gauge", ...gauge });
    metrics.set(gauges.budget.name, config().SMS_BUDGET_PER_DAY);
    metrics.set(gauges.today.name, 0);
  }

  /**
   * Counts a code and writes its row of t_sms, with its hash, in one transaction: what is counted is durable before the
   * SMS is sent. An address that has not logged in with the phone gets few codes a day that nobody uses; one that has
   * still gets as many where strangers have used up the phone's.
   * Fails: smsPhoneLimit, smsBudgetSpent, unavailable; then nothing is counted.
   */
  async count(sms: { phone: string; hash: string; address: string }): Promise<CountedSms> {
    const { phone, address } = sms;
    const { smsCodesPerAddress: few, smsAddressKnownDays } = limits.user;
    const { LOGIN_CODES_PER_PHONE_PER_DAY: perPhone, SMS_BUDGET_PER_DAY: budget } = config();
    const { mysql, broker } = this.service;
    let today: number | undefined;
    const counted = await mysql.transaction(async (tx) => {
      const day = await beijingDay(tx);
      if (perPhone > 0) {
        const isKnown = await loggedInFrom(tx, phone, address, smsAddressKnownDays);
        // The row of the day is locked first, so that parallel requests for the phone count one after the other.
        if ((await countCode(tx, day, phone, perPhone + (isKnown ? few : 0))) === undefined)
          throw this.refusal("smsPhoneLimit", "phone");
        if (!isKnown && (await unusedCodes(tx, day, phone, address)) >= few)
          throw this.refusal("smsPhoneLimit", "phone");
      }
      if (budget > 0) {
        today = await countCode(tx, day, null, budget);
        if (today === undefined) throw this.refusal("smsBudgetSpent", "budget");
      }
      return { day, smsId: await insertSms(tx, sms) };
    });
    if (today !== undefined) {
      broker.metrics.set(gauges.today.name, today);
      this.report(today, budget);
    }
    return counted;
  }

  /** A counted code was sent. */
  sent(): void {
    this.service.broker.metrics.increment(sentCounter.name);
  }

  /** Takes a code that was not sent off the counts. */
  async uncount({ day }: CountedSms, phone: string): Promise<void> {
    this.service.broker.metrics.increment(unsentCounter.name);
    await uncountCode(this.service.mysql, day, phone);
  }

  private refusal(name: "smsPhoneLimit" | "smsBudgetSpent", why: "phone" | "budget"): Error {
    this.service.broker.metrics.increment(refusedCounter.name, { why });
    const { SMS_BUDGET_PER_DAY: budget } = config();
    if (why === "budget") this.report(budget, budget);
    return fail(name);
  }

  /** A line when the budget is used to 70 and to 90 %, and one every ten minutes once it is used up. */
  private report(today: number, budget: number): void {
    const { smsBudgetWarnFrom, smsBudgetErrorFrom, smsBudgetLoggedMs } = limits.user;
    const share = [1, smsBudgetErrorFrom, smsBudgetWarnFrom].find((from) => today >= budget * from) ?? 0;
    const isAgain = share === 1 && performance.now() - this.loggedAt >= smsBudgetLoggedMs;
    if (share > this.loggedShare || isAgain) {
      this.loggedAt = performance.now();
      const about = { today, budget };
      if (share === 1)
        this.service.logger.error(
          about,
          "SMS_BUDGET_PER_DAY is used up: nobody gets a login code until midnight in Beijing",
        );
      else if (share >= smsBudgetErrorFrom) this.service.logger.error(about, "SMS_BUDGET_PER_DAY is nearly used up");
      else this.service.logger.warn(about, "much of SMS_BUDGET_PER_DAY is used");
    }
    this.loggedShare = share;
  }
}
