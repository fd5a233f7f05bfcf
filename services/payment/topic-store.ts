import { limits } from "../../config/limits.ts";
import type { Queryable } from "../../mixins/mysql/database.ts";
import type { TopicRecord } from "./operators.contract.ts";

interface TopicRow {
  biz_code: number;
  topic: string;
  status: number;
  remark: string;
  waiting: string;
}

/** The topics of all biz codes, or of one, by biz code. */
export async function topics(db: Queryable, bizCode?: number): Promise<TopicRecord[]> {
  const rows = await db.query<TopicRow>(
    `SELECT t.biz_code, t.topic, t.status, t.remark, (
       SELECT COUNT(*) FROM (SELECT o.biz_code FROM t_pay_parked p JOIN t_pay_order o ON o.order_id = p.order_id
         WHERE p.reason = 'topicMissing' LIMIT ?) AS waiting WHERE waiting.biz_code = t.biz_code) AS waiting
     FROM t_pay_topic t WHERE ? OR t.biz_code = ? ORDER BY t.biz_code`,
    [limits.metrics.countedRows, bizCode === undefined, bizCode ?? 0],
  );
  return rows.map(({ biz_code, topic, status, remark, waiting }) => {
    return { bizCode: biz_code, topic, status, remark, waiting: Number(waiting) };
  });
}

/** Writes the topic of a biz code, in the place of an earlier one. */
export async function putTopic(
  db: Queryable,
  { bizCode, topic, status, remark }: Omit<TopicRecord, "waiting">,
): Promise<void> {
  await db.run(
    `INSERT INTO t_pay_topic (biz_code, topic, status, remark) VALUES (?, ?, ?, ?)
     ON DUPLICATE KEY UPDATE topic = VALUES(topic), status = VALUES(status), remark = VALUES(remark)`,
    [bizCode, topic, status, remark],
  );
}
