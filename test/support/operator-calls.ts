/**
 * The operators' calls of a service, for a FROM: a row for each call with its outcome, `started` where none is written.
 * t_operator_audit has a row for the call and another for its outcome.
 */
export const operatorCalls = `(
  SELECT c.id, c.operator, c.action, c.params, c.request_id, COALESCE(o.outcome, c.outcome) AS outcome
  FROM t_operator_audit c LEFT JOIN t_operator_audit o ON o.call_id = c.id WHERE c.call_id IS NULL
) calls`;
