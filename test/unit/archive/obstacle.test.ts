import { obstacleOf } from "../../../services/archiver/obstacle.ts";

/** Which nodes on the bus keep the archive from getting on. */

const node = (nodeId: string, knowsArchives = true) => ({ nodeId, knowsArchives });
const heard = [node("wallet.1"), node("gift.1"), node("archiver.1")];

test("nothing is in the way where wallet and gift are heard and all who use business ids know archives", () => {
  expect(obstacleOf(heard)).toBeUndefined();
  expect(obstacleOf([node("all.1")])).toBeUndefined();
  // A gateway and a console read neither table.
  expect(obstacleOf([...heard, node("api-gateway.1", false), node("console.anna", false)])).toBeUndefined();
});

test.each(["wallet", "gift", "auditor", "all", "rank+wallet"])(
  "a %s node that does not say that it knows archives keeps both tables",
  (role) => {
    expect(obstacleOf([...heard, node(`${role}.old`, false)])).toContain(`${role}.old`);
  },
);

test.each(["wallet", "gift"])("where no %s node is heard nothing is known of them, and nothing is moved", (role) => {
  expect(obstacleOf(heard.filter(({ nodeId }) => nodeId !== `${role}.1`))).toContain(`no node of ${role} is heard`);
});

test("an archiver that hears nobody waits", () => {
  expect(obstacleOf([node("archiver.1")])).toContain("no node of wallet and gift");
});
