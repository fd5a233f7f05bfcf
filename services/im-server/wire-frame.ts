const textFrame = 0x81;
const binaryFrame = 0x82;

/**
 * A text message as WebSocket bytes, written once for all receivers. A server's frames are not masked, and no WebSocket
 * extension is in use, so the same bytes are valid for all connections.
 */
export function wireText(text: string): Buffer {
  const length = Buffer.byteLength(text);
  const { wire, head } = headed(textFrame, length);
  wire.write(text, head);
  return wire;
}

/** The same for a binary message. */
export function wireBinary(data: Uint8Array): Buffer {
  const { wire, head } = headed(binaryFrame, data.length);
  wire.set(data, head);
  return wire;
}

/** The bytes of a message of this length; `head` of them are written, the payload is not. */
function headed(firstByte: number, length: number): { wire: Buffer; head: number } {
  const head = length < 126 ? 2 : length < 65_536 ? 4 : 10;
  const wire = Buffer.allocUnsafeSlow(head + length);
  wire[0] = firstByte;
  if (head === 2) wire[1] = length;
  else if (head === 4) {
    wire[1] = 126;
    wire.writeUInt16BE(length, 2);
  } else {
    wire[1] = 127;
    wire.writeBigUInt64BE(BigInt(length), 2);
  }
  return { wire, head };
}
