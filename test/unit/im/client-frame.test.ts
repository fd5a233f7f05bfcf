import fc from "fast-check";
import { readClientFrame } from "../../../services/im-server/client-frame.ts";
import { isShownText } from "../../../services/shown-text.ts";
import { strangeJson, strangeObject } from "../../support/strange-values.ts";

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

test.each<[string, string]>([
  ["an object that cannot be converted", '{"valueOf":1,"toString":1}'],
  ["20,000 arrays in each other", `${"[".repeat(20_000)}${"]".repeat(20_000)}`],
  ["an array of a number", "[5555]"],
  ["true", "true"],
  ["null", "null"],
  ["no integer", "5555.5"],
])("a bizCode that is %s is a fault", (_what, bizCode) => {
  const text = `{"code":1003,"body":{"bizCode":${bizCode},"data":{"content":"x"}}}`;
  expect(readClientFrame(text, 500)).toEqual({ kind: "fault", reason: "bizCode is no integer" });
});

test("a bizCode may be spelled in digits", () => {
  expect(read({ code: 1003, body: { bizCode: "5555", data: { content: "hi" } } })).toMatchObject({ kind: "chat" });
});

test.each([
  ["half an emoji", "half \ud83d"],
  ["halves the wrong way round", "\udc00\ud800"],
  ["NUL", "a\u0000b"],
  ["what steers a terminal", "\u001b[2J"],
  ["C1", "\u009b2J"],
  ["a line break", "a\nb"],
  ["a line separator", "a\u2028b"],
])("chat with %s is refused, as HTTP refuses it", (_what, content) => {
  expect(read(chat({ content }, { msgId: "m" }))).toMatchObject({ kind: "refused", bizCode: 5555, msgId: "m" });
});

test("whatever comes is one of the kinds of frames, and chat is what may be shown", () => {
  const kinds = ["fault", "refused", "login", "logout", "heartbeat", "ack", "chat"];
  const body = strangeObject(["bizCode", "msgId", "data", "content", "magic"]);
  const business = fc.tuple(fc.constantFrom("5555", '"5555"'), strangeObject(["content"]));
  const frames = fc.oneof(
    fc.string({ unit: "binary" }),
    strangeJson("code", "body", "magic"),
    fc.tuple(fc.constantFrom(1001, 1002, 1003, 1004, 1005), body).map(([code, of]) => `{"code":${code},"body":${of}}`),
    business.map(([bizCode, data]) => `{"code":1003,"body":{"bizCode":${bizCode},"data":${data}}}`),
  );
  fc.assert(
    fc.property(frames, (text) => {
      const frame = readClientFrame(text, 500);
      expect(kinds).toContain(frame.kind);
      if (frame.kind === "chat") expect(isShownText(frame.content)).toBe(true);
      if (frame.kind === "refused") expect(Number.isSafeInteger(frame.bizCode)).toBe(true);
    }),
    { numRuns: 300 },
  );
});
