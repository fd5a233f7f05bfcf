import { type Fields, fieldsOf, integerOf } from "../../broker/unknown-values.ts";
import { bizCodes, frameCodes, frameMagic } from "../im-frames.ts";
import { isShownText } from "../shown-text.ts";

/**
 * A client's text frame. `fault`: it violates the protocol, and the connection is closed. `refused`: it is valid and
 * not carried out; the client gets an ack with the error.
 */
export type ClientFrame =
  | { kind: "fault"; reason: string }
  | { kind: "refused"; bizCode: number; msgId: string | undefined; error: string }
  | { kind: "login" }
  | { kind: "logout" }
  | { kind: "heartbeat" }
  | { kind: "ack"; msgId: string | undefined }
  | { kind: "chat"; content: string; msgId: string | undefined };

function fault(reason: string): ClientFrame {
  return { kind: "fault", reason };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // JSON text is never parsed to undefined.
  }
}

/** Never throws: a client may send anything. */
export function readClientFrame(text: string, chatCharsMax: number): ClientFrame {
  const parsed = parse(text);
  if (parsed === undefined) return fault("the frame is no JSON");
  const frame = fieldsOf(parsed);
  if (!frame) return fault("the frame is no JSON object");
  if (frame.magic !== undefined && frame.magic !== frameMagic) return fault("wrong magic");
  const body = frame.body === undefined || frame.body === null ? {} : fieldsOf(frame.body);
  if (!body) return fault("body is no object");
  switch (frame.code) {
    case frameCodes.login:
      return { kind: "login" };
    case frameCodes.logout:
      return { kind: "logout" };
    case frameCodes.heartbeat:
      return { kind: "heartbeat" };
    case frameCodes.ack:
      return { kind: "ack", msgId: messageId(body) };
    case frameCodes.business:
      return readBusiness(body, chatCharsMax);
    default:
      return fault("unknown code");
  }
}

function messageId(body: Fields): string | undefined {
  return typeof body.msgId === "string" && body.msgId.length <= 100 ? body.msgId : undefined;
}

function readBusiness(body: Fields, chatCharsMax: number): ClientFrame {
  const bizCode = integerOf(body.bizCode);
  if (bizCode === undefined) return fault("bizCode is no integer");
  const msgId = messageId(body);
  if (bizCode !== bizCodes.chat)
    return { kind: "refused", bizCode, msgId, error: "clients may not send this business code" };
  // `data` may also be a JSON text inside the frame.
  const data = fieldsOf(typeof body.data === "string" ? parse(body.data) : body.data);
  if (typeof data?.content !== "string") return fault("content is no text");
  const { content } = data;
  // A text has at most as many code points as UTF-16 units, and at least half as many: they are counted only where that
  // decides.
  const tooLong = content.length > 2 * chatCharsMax || [...content].length > chatCharsMax;
  if (content === "" || tooLong)
    return { kind: "refused", bizCode, msgId, error: `content must have 1 to ${chatCharsMax} characters` };
  if (!isShownText(content))
    return { kind: "refused", bizCode, msgId, error: "content must be one line of well-formed Unicode" };
  return { kind: "chat", content, msgId };
}
