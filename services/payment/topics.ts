import { fail } from "../../broker/failure.ts";
import { fitsBizCode } from "./messages.ts";
import type { TopicRecord } from "./operators.contract.ts";
import type { PaymentContext } from "./payment-context.ts";
import { putTopic, topics } from "./topic-store.ts";

/**
 * Sets the topic of a biz code. Orders that are paid from then on have it; the job uncredited-orders sends those that
 * wait. Committed when it resolves. Fails: topicRefused, where the topic does not fit the biz code.
 */
export async function setTopic(
  { mysql, logger }: Pick<PaymentContext, "mysql" | "logger">,
  change: Omit<TopicRecord, "waiting">,
): Promise<TopicRecord> {
  const { bizCode, topic, status } = change;
  if (!fitsBizCode(topic, bizCode)) throw fail("topicRefused", { bizCode, topic });
  await putTopic(mysql, change);
  const [set] = await topics(mysql, bizCode);
  if (!set) throw new Error(`the topic of biz code ${bizCode} cannot be found`);
  logger.info({ bizCode, topic, status, waiting: set.waiting }, "an operator set the topic of a biz code");
  return set;
}
