import fc from "fast-check";
import { readClientFrame } from "../../../services/im-server/client-frame.ts";

const read = (frame: unknown) => readClientFrame(JSON.stringify(frame), 500);
const chat = (data: unknown, more = {}) => ({ code: 1003, body: { bizCode: 5555, data, ...more } });

test.each([
  [{ code: 1001 }, { kind: "login" }],
  [{ code: 1002, body: {} }, { kind: "logout" }],
  [{ code: 1004, magic: 18673, body: null }, { kind: "heartbeat" }],
  [
    { code: 1005, body: { msgId: "m" } },
    { kind: "ack", msgId: "m" },
  ],
])("%j is understood", (frame, meaning) => {
  expect(read(frame)).toEqual(meaning);
});

test("nothing of a chat frame is taken but its content and message id", () => {
  const frame = chat({ content: "hi", senderId: "9", roomId: 9 }, { userId: "9", msgId: "m" });
  expect(read(frame)).toEqual({ kind: "chat", content: "hi", msgId: "m" });
});

test("data may be a JSON text, as older clients send it", () => {
  expect(read(chat('{"content":"hi"}'))).toMatchObject({ kind: "chat", content: "hi" });
});

test.each([
  ["nothing", ""],
  ["501 characters", "x".repeat(501)],
  ["501 characters of two units", "👍".repeat(501)],
])("chat of %s is refused", (_what, content) => {
  expect(read(chat({ content }))).toMatchObject({ kind: "refused", bizCode: 5555 });
});

test("a business code that clients may not send is refused", () => {
  expect(read({ code: 1003, body: { bizCode: 5556, data: { gifts: [] } } })).toMatchObject({
    kind: "refused",
    bizCode: 5556,
  });
});

test.each([
  "null",
  "3",
  '"1004"',
  "[]",
  "{}",
  '{"code":1000}',
  '{"code":1004,"magic":"18673"}',
  '{"code":1003,"body":[]}',
])("%s is a fault", (text) => {
  expect(readClientFrame(text, 500)).toMatchObject({ kind: "fault" });
});

test("whatever comes, reading it never throws", () => {
  const codes = fc.constantFrom(1001, 1002, 1003, 1004, 1005);
  const frames = fc.oneof(
    fc.string(),
    fc.json(),
    fc.record({ code: codes, body: fc.anything(), magic: fc.anything() }).map((frame) => {
      try {
        return JSON.stringify(frame);
      } catch {
        return ""; // A bigint, which no JSON text could have held.
      }
    }),
  );
  fc.assert(fc.property(frames, (text) => typeof readClientFrame(text, 500).kind === "string"));
});
