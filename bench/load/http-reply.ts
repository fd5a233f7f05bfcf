export interface HttpReply {
  status: number;
  body: string;
}

const contentLength = /\r\ncontent-length: *(\d+)/i;

/**
 * Parses one HTTP reply; `undefined` while it is incomplete. The reply must have a Content-Length.
 * @throws Error where the bytes are no such reply, or continue after it.
 */
export function readReply(bytes: Buffer): HttpReply | undefined {
  const headEnd = bytes.indexOf("\r\n\r\n");
  if (headEnd < 0) return undefined;
  const head = bytes.toString("latin1", 0, headEnd);
  const length = contentLength.exec(head)?.[1];
  if (!head.startsWith("HTTP/1.1 ") || length === undefined)
    throw new Error(`not understood as a reply: ${head.slice(0, 200)}`);
  const end = headEnd + 4 + Number(length);
  if (bytes.length < end) return undefined;
  if (bytes.length > end) throw new Error("more bytes than the reply was to have");
  return { status: Number(head.slice(9, 12)), body: bytes.toString("utf8", headEnd + 4, end) };
}
