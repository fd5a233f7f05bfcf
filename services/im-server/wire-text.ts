const textFrame = 0x81;

/**
 * A text message as it goes over the line, written once for all who get it. A server's frames are not masked and ours
 * are not compressed, so that the same bytes are right for everybody.
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
