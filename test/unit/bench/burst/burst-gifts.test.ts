import { giftOf, requestOf } from "../../../../bench/burst/burst-gifts.ts";

describe("the gifts of the burst", () => {
  it("go to the rooms in turn, each to the room's anchor", () => {
    const gifts = [0, 1, 2, 3].map((n) => giftOf(n, 3));
    expect(gifts.map(({ roomId }) => roomId)).toEqual([1, 2, 3, 1]);
    expect(gifts[3]?.receiverId).toBe(gifts[0]?.receiverId);
    expect(new Set(gifts.map(({ receiverId }) => receiverId)).size).toBe(3);
  });

  it("have different counts within a room", () => {
    expect([0, 3, 6, 9].map((n) => giftOf(n, 3).count)).toEqual([1, 2, 3, 1]);
  });

  it("have different request ids that the gateway accepts", () => {
    const ids = Array.from({ length: 1_000 }, (_, n) => giftOf(n, 10).requestId);
    expect(new Set(ids).size).toBe(1_000);
    for (const id of ids) expect(id).toMatch(/^[A-Za-z0-9_-]{8,64}$/);
  });

  it("are requests with the sender's token and the length of their body", () => {
    const gift = giftOf(5, 3);
    const [head = "", body = ""] = requestOf(gift, { port: 80, token: "token-of-5" }).split("\r\n\r\n");
    expect(head).toContain("POST /live/api/gift/send HTTP/1.1\r\n");
    expect(head).toContain("Authorization: Bearer token-of-5\r\n");
    expect(head).toContain(`Content-Length: ${Buffer.byteLength(body)}`);
    expect(JSON.parse(body)).toEqual(gift);
  });
});
