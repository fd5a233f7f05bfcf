import fc from "fast-check";
import { Mailboxes } from "../../../services/wallet/mailboxes.ts";

const letter = (userId: string, command: number) => ({
  ...{ userId, command, arrivedAt: 0 },
  resolve: () => {},
  reject: () => {},
});

describe("mailboxes", () => {
  test("a user's letters come out in the order they were put, whatever is taken, put back and finished between", () => {
    const step = fc.oneof(
      fc.record({ put: fc.constantFrom("1", "2", "3") }),
      fc.record({ take: fc.integer({ min: 1, max: 4 }) }),
      fc.record({ end: fc.boolean() }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const boxes = new Mailboxes<number, void>();
        const out = new Map<string, number[]>();
        const hands: [string, ReturnType<typeof letter>[]][] = [];
        let next = 0;
        const end = (back: boolean) => {
          const hand = hands.shift();
          if (!hand) return;
          const [userId, letters] = hand;
          if (back) return boxes.putBack(userId, letters);
          out.set(userId, [...(out.get(userId) ?? []), ...letters.map(({ command }) => command)]);
          boxes.done(userId);
        };
        for (const one of steps) {
          if ("put" in one) boxes.put(letter(one.put, next++));
          else if ("take" in one) {
            const taken = boxes.take(one.take);
            for (const userId of taken.keys()) expect(hands.some(([busy]) => busy === userId)).toBe(false);
            expect([...taken.values()].flat().length).toBeLessThanOrEqual(one.take);
            hands.push(...([...taken] as typeof hands));
          } else end(one.end);
        }
        while (hands.length > 0 || boxes.size > 0) {
          hands.push(...([...boxes.take(100)] as typeof hands));
          end(false);
        }
        expect([...out.values()].flat().length).toBe(next);
        for (const commands of out.values()) expect(commands).toEqual([...commands].sort((a, b) => a - b));
      }),
    );
  });
});
