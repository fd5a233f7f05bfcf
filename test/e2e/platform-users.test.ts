import { Person, requestId } from "../support/client.ts";
import { eventually } from "../support/eventually.ts";
import { claimsFor, newExternalId, sharedJwt } from "../support/platform.ts";

describe("users of a platform, by its JWTs,", () => {
  test("open rooms, recharge, enter by IM and send gifts, to each other and to users who log in by phone", async () => {
    const anchorId = newExternalId();
    const [anchor, fan, guest] = await Promise.all([
      Person.ofPlatform(sharedJwt(claimsFor(anchorId, { name: "Lin" }))),
      Person.ofPlatform(sharedJwt(claimsFor(newExternalId()))),
      Person.login(),
    ]);
    const roomId = await anchor.openRoom("the stage");
    const [anchorSees, fanSees, guestSees] = await Promise.all([
      anchor.enter(roomId),
      fan.enter(roomId),
      guest.enter(roomId),
    ]);
    await fan.order(10);
    await eventually("5561", () => fanSees.business(5561)[0]);
    const sent = await fan.send(roomId, anchor.userId, { giftId: 25, requestId: requestId() });
    expect(sent).toMatchObject({ status: 200, code: 200 });
    const gift = { senderId: fan.userId, receiverId: anchor.userId, giftId: 25, count: 1, price: 500 };
    for (const viewer of [anchorSees, fanSees, guestSees])
      expect(await viewer.saw(sent.data.orderId)).toMatchObject(gift);
    expect(await fan.settled(sent.data.orderId)).toMatchObject({ status: "succeeded" });
    expect(await fan.balance()).toBe(500);

    // Another JWT of the anchor is the same user, in the same room.
    const again = await Person.ofPlatform(sharedJwt(claimsFor(anchorId, { name: "Lin" })));
    expect(again.userId).toBe(anchor.userId);
    const shown = await guest.ask<{ anchorNickName: string }>("living/anchorConfig", { roomId });
    expect(shown.anchorNickName).toBe("Lin");
    await eventually("the income", async () => (await again.ask<{ income: number }>("bank/income")).income === 250);
    for (const person of [anchor, fan, guest]) person.leave();
  });
});
