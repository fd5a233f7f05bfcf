/** The ids under which the staff page moves money: a refused act is not repeated, an unsure one is never doubled. */

interface ActId {
  readonly id: string;
  send(send: (id: string) => Promise<unknown>): Promise<unknown>;
}
const { actId } = require("../../../admin-page/js/act-id.js") as { actId(make: () => string): ActId };

const refused = { answered: true, retryable: false };
const noAnswer = { answered: false, retryable: true };
const unavailable = { answered: true, retryable: true };

/** The ids under which attempts with these outcomes are sent; `undefined`: it succeeds. */
async function sentUnder(outcomes: readonly ({ answered: boolean; retryable: boolean } | undefined)[]) {
  let made = 0;
  const act = actId(() => `id-${++made}`);
  const sent: string[] = [];
  for (const outcome of outcomes) {
    const attempt = act.send(async (id) => {
      sent.push(id);
      if (outcome) throw outcome;
      return id;
    });
    if (outcome) await expect(attempt).rejects.toBe(outcome);
    else expect(await attempt).toBe(act.id);
  }
  return sent;
}

test("after a refusal the next press is another act, under a new id", async () => {
  expect(await sentUnder([refused, refused, undefined])).toEqual(["id-1", "id-2", "id-3"]);
});

test.each([
  ["no answer", noAnswer],
  ["a 503, after which it may be carried out", unavailable],
])("after %s the same act is sent again under its id", async (_what, unsure) => {
  expect(await sentUnder([unsure, unsure, undefined])).toEqual(["id-1", "id-1", "id-1"]);
});

test("an act that may have been carried out keeps its id, also where a later attempt is refused", async () => {
  expect(await sentUnder([noAnswer, refused, refused])).toEqual(["id-1", "id-1", "id-1"]);
  expect(await sentUnder([refused, unavailable, refused, undefined])).toEqual(["id-1", "id-2", "id-2", "id-2"]);
});
