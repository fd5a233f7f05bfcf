import { limits } from "../../../config/limits.ts";
import { defaultRoomName, givenRoomName, roomTypeFailure } from "../../../services/living-room/room-form.ts";

describe("opening a room", () => {
  test.each([
    [undefined, "roomTypeMissing"],
    [null, "roomTypeMissing"],
    [0, "invalidParam"],
    [3, "invalidParam"],
    [-1, "invalidParam"],
    [1, undefined],
    [2, undefined],
  ])("type %s: %s", (type, failure) => expect(roomTypeFailure(type)).toBe(failure));

  test("a given name loses surrounding blanks", () => expect(givenRoomName("  今晚 唱歌 \n")).toBe("今晚 唱歌"));

  test.each([undefined, "", "   "])("%j is no name", (name) => expect(givenRoomName(name)).toBeUndefined());

  test("the default name is made of the nick name", () => expect(defaultRoomName(" 小鱼 ")).toBe("小鱼的直播间"));

  test("a long nick name is cut between characters, so that the room's name fits", () => {
    const name = defaultRoomName("🐟".repeat(60));
    expect(name.length).toBeLessThanOrEqual(limits.room.nameChars);
    expect(name).toMatch(/^🐟+的直播间$/u);
  });
});
