/**
 * The prices, coins and states that products and gifts had, by the sealed audit of operators' calls. Pure.
 *
 * A call changes what it names some time between its two audit rows, so both values count in between. A call without an
 * outcome, or with one that leaves it open, may have changed it: both values count until a later call succeeds.
 */

/** What is compared; `status` 1 is on sale. */
export type Field = "price" | "coins" | "status";
type Fields = Readonly<Partial<Record<Field, number>>>;

/** An operator's call that sets fields of a product or gift. Times are milliseconds since 1970, ids those of audit rows. */
export interface AuditedCall {
  readonly id: number;
  readonly subject: string;
  readonly sets: Fields;
  readonly began: number;
  /** Of the row with its outcome; `null` where there is none. */
  readonly ended: { readonly id: number; readonly time: number; readonly outcome: string } | null;
}

interface Value {
  readonly value: number;
  readonly from: number;
  readonly to: number;
}

interface Setting {
  readonly value: number;
  readonly began: number;
  readonly callId: number;
  readonly ended: number;
  readonly endId: number;
  readonly certain: boolean;
}

/** Outcomes after which the change may be there or not. */
const open = new Set(["unavailable", "fault"]);

const comesAfter = (later: Setting, { ended, endId }: Setting) =>
  later.began > ended || (later.began === ended && later.callId > endId);

/** What each product or gift had, and when. */
export class AuditedTerms {
  private readonly values = new Map<string, Map<Field, Value[]>>();

  /**
   * `first`: what there was before every call. `graceMs`: a value counts for so long before and after its time, since it
   * is read some time before it is stored, by other clocks.
   */
  constructor(first: Readonly<Record<string, Fields>>, calls: readonly AuditedCall[], graceMs: number) {
    const settings = new Map<string, Map<Field, Setting[]>>();
    const add = (subject: string, sets: Fields, rest: Omit<Setting, "value">) => {
      const fields = settings.get(subject) ?? new Map<Field, Setting[]>();
      settings.set(subject, fields);
      for (const [field, value] of Object.entries(sets) as [Field, number][])
        fields.set(field, [...(fields.get(field) ?? []), { value, ...rest }]);
    };
    const always = {
      began: Number.NEGATIVE_INFINITY,
      callId: 0,
      ended: Number.NEGATIVE_INFINITY,
      endId: 0,
      certain: true,
    };
    for (const [subject, fields] of Object.entries(first)) add(subject, fields, always);
    for (const { id, subject, sets, began, ended } of calls) {
      const certain = ended?.outcome === "succeeded";
      if (ended && !certain && !open.has(ended.outcome)) continue;
      add(subject, sets, { began, callId: id, ended: ended?.time ?? began + graceMs, endId: ended?.id ?? id, certain });
    }
    for (const [subject, fields] of settings) {
      const of = new Map<Field, Value[]>();
      this.values.set(subject, of);
      for (const [field, all] of fields)
        of.set(
          field,
          all.map((one) => {
            const over = all.filter((later) => later.certain && comesAfter(later, one)).map(({ ended }) => ended);
            const to = Math.min(Number.POSITIVE_INFINITY, ...over) + graceMs;
            return { value: one.value, from: one.began - graceMs, to };
          }),
        );
    }
  }

  /** Whether a field may have had this value all the time from one time to another. */
  had(subject: string, field: Field, value: number, from: number, to: number = from): boolean {
    const all = this.values.get(subject)?.get(field) ?? [];
    return all.some((one) => one.value === value && one.from <= from && to <= one.to);
  }

  /** For people: the values that a field may have had at a time. */
  shown(subject: string, field: Field, time: number): string {
    const all = this.values.get(subject)?.get(field) ?? [];
    const then = all.filter(({ from, to }) => from <= time && time <= to).map(({ value }) => value);
    return [...new Set(then)].join(" or ") || "none";
  }
}
