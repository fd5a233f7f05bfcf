import { deflateRawSync } from "node:zlib";
import { limits } from "../../config/limits.ts";
import { roomFrameV2 } from "./frames-v2.ts";
import { wireBinary, wireText } from "./wire-frame.ts";

/**
 * How a client gets its frames: version 1 or 2 of the protocol, or version 2 where larger frames are binary messages,
 * each a raw deflate (RFC 1951) of the frame's text.
 */
export type FrameForm = "1" | "2" | "2-deflate";

/**
 * The form that a client's query requests (`v`, `compress`). Where there is no such form it returns an `Error` with the
 * reason for the client.
 */
export function requestedForm(query: URLSearchParams): FrameForm | Error {
  const version = query.get("v") ?? "1";
  const compress = query.get("compress");
  if (version !== "1" && version !== "2") return new Error("v must be 1 or 2");
  if (compress === null) return version;
  if (compress !== "deflate-raw") return new Error("compress must be deflate-raw");
  return version === "2" ? "2-deflate" : new Error("compress needs v=2");
}

/**
 * A frame of a room as bytes for its members, in each form. The bytes of a form are made once, when the first member
 * with that form needs them.
 */
export class FrameForms {
  private readonly frame: string;
  private readonly anchorId: string;
  private readonly made: Partial<Record<FrameForm, Buffer>> = {};
  private text2: string | undefined;

  /** `frame` is of version 1; `anchorId` is the anchor of the room. */
  constructor(frame: string, anchorId: string) {
    this.frame = frame;
    this.anchorId = anchorId;
  }

  /** Whether it was made of this frame. */
  isOf(frame: string): boolean {
    return this.frame === frame;
  }

  wire(form: FrameForm): Buffer {
    this.made[form] ??= this.make(form);
    return this.made[form];
  }

  private make(form: FrameForm): Buffer {
    if (form === "1") return wireText(this.frame);
    this.text2 ??= roomFrameV2(this.frame, this.anchorId);
    const plain = form === "2" ? undefined : deflated(this.text2);
    return plain ?? wireText(this.text2);
  }
}

/**
 * `undefined` where the frame is small, would not become smaller, or zlib fails, e.g. without memory: every client reads
 * text too, and an error would keep the frame from the members that follow. It is compressed in this thread: in zlib's threads
 * a frame of 3 kB costs three times as much CPU. The largest frame (`limits.im.roomFrameBytes`) takes some milliseconds.
 */
function deflated(text: string): Buffer | undefined {
  const bytes = Buffer.from(text);
  if (bytes.length < limits.im.deflateFromBytes) return undefined;
  try {
    const small = deflateRawSync(bytes, { level: limits.im.deflateLevel });
    return small.length < bytes.length ? wireBinary(small) : undefined;
  } catch {
    return undefined;
  }
}
