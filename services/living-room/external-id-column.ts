/** The platform's id of a room in its column: UTF-8 bytes, so every comparison is exact. */
export const bytesOf = (externalId: string): Buffer => Buffer.from(externalId, "utf8");

/** The id as a field of a room that has one. */
export const externalIdOf = ({ external_id }: { external_id: Buffer | null }): { externalRoomId?: string } =>
  external_id === null ? {} : { externalRoomId: external_id.toString("utf8") };
