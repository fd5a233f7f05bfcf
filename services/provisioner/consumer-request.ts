import { z } from "zod";

/**
 * A request of another system for a consumer of the mirror of EVENTS. Pure. nats-server sends to a consumer's deliver
 * subject with its own rights, so that subject is checked, and a field that is not known here is refused: what
 * nats-server reads is written again from what was checked.
 */

const text = z.string().max(4_096);
const name = z
  .string()
  .regex(/^[^\s.*>/\\]+$/)
  .max(128);
/** Nanoseconds, counts, bytes and sequences; -1 stands for none. */
const number = z.number().int().min(-1);
const literal = text.regex(/^[^\s.*>]+(\.[^\s.*>]+)*$/);
const filter = text.regex(/^[^\s]+$/);

const consumer = z.strictObject({
  name: name.or(z.literal("")).optional(),
  durable_name: name.or(z.literal("")).optional(),
  description: text.optional(),
  deliver_subject: literal.optional(),
  deliver_group: name.optional(),
  deliver_policy: z.enum(["all", "last", "new", "by_start_sequence", "by_start_time", "last_per_subject"]).optional(),
  opt_start_seq: number.optional(),
  opt_start_time: text.optional(),
  ack_policy: z.enum(["none", "all", "explicit"]).optional(),
  ack_wait: number.optional(),
  backoff: z.array(number).max(64).optional(),
  max_deliver: number.optional(),
  filter_subject: filter.or(z.literal("")).optional(),
  filter_subjects: z.array(filter).max(256).optional(),
  replay_policy: z.enum(["instant", "original"]).optional(),
  rate_limit_bps: number.optional(),
  sample_freq: text.optional(),
  max_waiting: number.optional(),
  max_ack_pending: number.optional(),
  flow_control: z.boolean().optional(),
  idle_heartbeat: number.optional(),
  headers_only: z.boolean().optional(),
  max_batch: number.optional(),
  max_expires: number.optional(),
  max_bytes: number.optional(),
  inactive_threshold: number.optional(),
  num_replicas: number.optional(),
  mem_storage: z.boolean().optional(),
  metadata: z.record(z.string().max(256), text).optional(),
});

const request = z.strictObject({
  stream_name: text,
  config: consumer,
  action: z.enum(["", "create", "update"]).optional(),
});

/** The request as nats-server is to read it, or why it is refused. */
export type CheckedRequest = { readonly body: string } | { readonly refused: string };

/** Whether a subject is one of a list that may end with `>`. */
const isWithin = (subject: string, allowed: readonly string[]) =>
  allowed.some((one) => subject.startsWith(one.slice(0, -1)) && one.endsWith(".>"));

/** `deliverSubjects`: each ends with `.>`. */
export function checkConsumerRequest(
  body: string,
  { stream, deliverSubjects }: { readonly stream: string; readonly deliverSubjects: readonly string[] },
): CheckedRequest {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    return { refused: "the request is not JSON" };
  }
  const { data, error } = request.safeParse(parsed);
  if (error) {
    const [issue] = error.issues;
    return { refused: `${issue?.path.join(".") || "request"}: ${issue?.message}` };
  }
  if (data.stream_name !== stream) return { refused: `stream_name is not ${stream}` };
  const { deliver_subject: deliver } = data.config;
  if (deliver !== undefined && !isWithin(deliver, deliverSubjects))
    return { refused: `deliver_subject must be within ${deliverSubjects.join(", ")}` };
  return { body: JSON.stringify(data) };
}
