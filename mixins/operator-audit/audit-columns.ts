/** The sealed columns of t_operator_audit, in the order in which they are written. */
export const auditColumns = ["call_id", "operator", "action", "params_digest", "outcome", "request_id"] as const;
