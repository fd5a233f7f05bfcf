import { readReply } from "../../../bench/load/http-reply.ts";

const reply = (body: string, length = Buffer.byteLength(body)) =>
  Buffer.from(`HTTP/1.1 200 OK\r\nX-Before: 1\r\ncontent-length: ${length}\r\nX-After: 2\r\n\r\n${body}`);

describe("an HTTP reply on the generator's connection", () => {
  it("is parsed once it is complete", () => {
    const bytes = reply('{"code":200,"msg":"成功"}');
    for (let length = 0; length < bytes.length; length++) expect(readReply(bytes.subarray(0, length))).toBeUndefined();
    expect(readReply(bytes)).toEqual({ status: 200, body: '{"code":200,"msg":"成功"}' });
  });

  it("may have no body", () => {
    expect(readReply(reply(""))).toEqual({ status: 200, body: "" });
  });

  it("is refused without a length, or with more bytes than its length", () => {
    expect(() => readReply(Buffer.from("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"))).toThrow(
      /not understood/,
    );
    expect(() => readReply(reply("abc", 2))).toThrow(/more bytes/);
  });
});
