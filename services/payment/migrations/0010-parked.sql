-- What is the matter with an order, one row a reason, and for what is about a payment a row a payment; until this
-- migration t_pay_order.parked held one reason. The reasons are in order.ts. Payment nodes of the release before are
-- stopped first: they read and write the column alone.
CREATE TABLE IF NOT EXISTS t_pay_parked (
  order_id VARCHAR(64) NOT NULL,
  reason VARCHAR(20) NOT NULL,
  -- The payment that it is about; '' where it is about the order, or where the payment is not known.
  transaction_id VARCHAR(64) NOT NULL DEFAULT '',
  create_time DATETIME(3) NOT NULL,
  PRIMARY KEY (order_id, reason, transaction_id),
  KEY idx_reason (reason, order_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- A refunded order without a topic has nothing more to wait for: it was never credited.
INSERT IGNORE INTO t_pay_parked (order_id, reason, create_time)
SELECT order_id, IF(parked = 'topicMissing' AND status = 5, 'neverCredited', parked), update_time
FROM t_pay_order WHERE parked IS NOT NULL;

INSERT IGNORE INTO t_pay_parked (order_id, reason, create_time)
SELECT order_id, 'neverCredited', update_time FROM t_pay_order
WHERE status = 5 AND refund_reason = 'refunded at the provider before it was credited';

-- What the one column had no room for: refunds that failed, and second payments that did not go back.
INSERT IGNORE INTO t_pay_parked (order_id, reason, create_time)
SELECT order_id, 'refundFailed', update_time FROM t_pay_refund WHERE state = 'failed';

INSERT IGNORE INTO t_pay_parked (order_id, reason, transaction_id, create_time)
SELECT n.order_id, 'paidTwice', n.transaction_id, MIN(n.create_time) FROM t_pay_notice n
WHERE n.outcome = 'parked' AND n.reason LIKE 'paid again, first by %' AND n.transaction_id IS NOT NULL
  AND NOT EXISTS (
    SELECT 1 FROM t_pay_notice r
    WHERE r.order_id = n.order_id AND r.transaction_id = n.transaction_id AND r.id > n.id
      AND r.reason IN ('the second payment went back', 'a refund of a payment that paid nothing'))
GROUP BY n.order_id, n.transaction_id;

-- Those that have the payment's name need no nameless row besides.
DELETE p FROM t_pay_parked p JOIN t_pay_parked named ON named.order_id = p.order_id AND named.reason = p.reason
WHERE p.reason = 'paidTwice' AND p.transaction_id = '' AND named.transaction_id <> '';

-- Not read any more. It is emptied, so that nobody takes what it once said for true.
UPDATE t_pay_order SET parked = NULL WHERE parked IS NOT NULL;

-- Orders that were refunded at the provider before their payment was heard of had lost their watch and stayed open.
INSERT IGNORE INTO t_pay_watch (order_id, expire_time, next_time)
SELECT order_id, create_time + INTERVAL 16 MINUTE, UTC_TIMESTAMP(3) FROM t_pay_order WHERE status IN (0, 1);
