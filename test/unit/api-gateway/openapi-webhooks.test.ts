import { z } from "zod";
import { withExternalFields } from "../../../services/api-gateway/pages/openapi-webhooks.ts";
import { idsNamedIn, withExternalIds } from "../../../services/external-names.ts";

test("a schema has an external id beside each id that an answer has one beside", () => {
  const ids = { userId: "1", senderId: "2", receiverId: "3", anchorId: "4", roomId: 5, giftId: 6 };
  const value = { ...ids, gifts: [{ senderId: "7" }], inside: { roomId: 8 } };
  const { userIds, roomIds } = idsNamedIn(value);
  const users = new Map(userIds.map((id) => [id, `external ${id}`]));
  const rooms = new Map(roomIds.map((id) => [id, `external ${id}`]));
  const shown = withExternalIds<object>(value, { users, rooms });

  const id = z.string();
  const own = { userId: id, senderId: id, receiverId: id, anchorId: id, roomId: z.int(), giftId: z.int() };
  const inside = z.object({ roomId: z.int() });
  const schema = z.toJSONSchema(z.object({ ...own, gifts: z.array(z.object({ senderId: id })), inside }));
  const documented = withExternalFields(schema) as { properties: object; required: string[] };
  const fieldsOf = (one: object): unknown =>
    Object.fromEntries(
      Object.entries(one).map(([name, field]) => {
        const nested = field?.properties ?? field?.items?.properties ?? (Array.isArray(field) ? field[0] : field);
        return [name, typeof nested === "object" && !nested.type ? fieldsOf(nested) : true];
      }),
    );
  expect(fieldsOf(documented.properties)).toEqual(fieldsOf(shown));
  expect(documented.required).not.toContain("externalId");
});
