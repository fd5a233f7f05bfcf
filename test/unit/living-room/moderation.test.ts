import { mayModerate, roleIn, sparedBy } from "../../../services/living-room/moderation.ts";

const anchor = "1";
const moderators = ["2", "3"];

test("roles in a room: its anchor, the moderators she named, everybody else", () => {
  expect(["1", "2", "3", "4"].map((userId) => roleIn(anchor, moderators, userId))).toEqual([
    ...["anchor", "moderator", "moderator", "viewer"],
  ]);
});

test.each([
  ["anchor", "anchor", false],
  ["anchor", "moderator", true],
  ["anchor", "viewer", true],
  ["moderator", "anchor", false],
  ["moderator", "moderator", false],
  ["moderator", "viewer", true],
  ["viewer", "anchor", false],
  ["viewer", "moderator", false],
  ["viewer", "viewer", false],
] as const)("%s about %s: %s", (by, about, may) => {
  expect(mayModerate(by, about)).toBe(may);
});

test("the anchor spares nobody's chat; a moderator that of the anchor and of other moderators, not the own", () => {
  expect(sparedBy("anchor", "1", anchor, moderators)).toEqual([]);
  expect(sparedBy("moderator", "2", anchor, moderators)).toEqual(["1", "3"]);
});
