import { giftRequests } from "../../../bench/load/gift-requests.ts";

const senders = [
  { token: "token-of-a", roomId: 7, receiverId: "200000000000000001" },
  { token: "token-of-b", roomId: 8, receiverId: "200000000000000002" },
];

function parts(request: string) {
  const [head = "", body = ""] = request.split("\r\n\r\n");
  return { head, body: JSON.parse(body) as Record<string, unknown>, bytes: Buffer.byteLength(body) };
}

describe("gift requests of the load generator", () => {
  const next = giftRequests({ host: "127.0.0.1", port: 80 }, senders, 22);
  const requests = Array.from({ length: 5 }, () => parts(next()));

  it("take the senders in turn", () => {
    expect(requests.map(({ body }) => body.roomId)).toEqual([7, 8, 7, 8, 7]);
    expect(requests[1]?.head).toContain("Authorization: Bearer token-of-b\r\n");
    expect(requests[1]?.body).toMatchObject({ giftId: 22, receiverId: "200000000000000002", count: 1 });
  });

  it("have different request ids that the gateway accepts", () => {
    const ids = requests.map(({ body }) => body.requestId as string);
    expect(new Set(ids).size).toBe(5);
    for (const id of ids) expect(id).toMatch(/^[A-Za-z0-9_-]{8,64}$/);
  });

  it("have the length of their body", () => {
    for (const { head, bytes } of requests) expect(head).toContain(`Content-Length: ${bytes}`);
  });
});

describe("gift requests through the server API", () => {
  const externalIds = { externalId: "a", receiverExternalId: "anchor", externalRoomId: "room" };
  const [sender] = senders as [(typeof senders)[0]];
  const next = giftRequests({ host: "127.0.0.1", port: 80 }, [{ ...sender, externalIds }], 22, "ovk_key");
  const requests = Array.from({ length: 3 }, () => parts(next()));

  it("carry the API key, the platform's ids, and an idempotency key of their own", () => {
    for (const { head, body, bytes } of requests) {
      expect(head).toContain("POST /live/server/v1/gifts/send HTTP/1.1\r\n");
      expect(head).toContain("Authorization: Bearer ovk_key\r\n");
      expect(head).toContain(`Idempotency-Key: ${body.requestId}\r\n`);
      expect(head).toContain(`Content-Length: ${bytes}`);
      expect(body).toEqual({ ...externalIds, giftId: 22, count: 1, requestId: expect.any(String) });
    }
    expect(new Set(requests.map(({ body }) => body.requestId)).size).toBe(3);
  });
});
