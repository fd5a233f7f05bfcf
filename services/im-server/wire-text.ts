const textFrame = 0x81;

/**
 * A text message as WebSocket bytes, written once for all receivers. A server's frames are not masked and ours are not
 * compressed, so the same bytes are valid for everybody.
 */
export function wireText(text: string): Buffer {
  const length = Buffer.byteLength(text);
  const head = length < 126 ? 2 : length < 65_536 ? 4 : 10;
  const wire = Buffer.allocUnsafeSlow(head + length);
  wire[0] = textFrame;
  if (head === 2) wire[1] = length;
  else if (head === 4) {
    wire[1] = 126;
    wire.writeUInt16BE(length, 2);
  } else {
    wire[1] = 127;
    wire.writeBigUInt64BE(BigInt(length), 2);
  }
  wire.write(text, head);
  return wire;
}
