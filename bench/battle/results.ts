import { config, databaseName } from "../../config/config.ts";
import { openConnection } from "../../mixins/mysql/servers.ts";
import type { BattleView } from "../../services/battle/battle.contract.ts";

/** What a side got: coins and gift orders. */
export interface SideResult {
  score: number;
  gifts: number;
}

/** What differs between the results of battles, the gift records and what was sent to each room; a sentence each. */
export async function resultProblems(
  battles: readonly BattleView[],
  sent: ReadonlyMap<number, SideResult>,
): Promise<string[]> {
  const connection = await openConnection(config().MYSQL_URL, {
    ...{ database: databaseName("gift"), timezone: "Z" },
    ...{ supportBigNumbers: true, bigNumberStrings: true },
  });
  const recorded = async (roomId: number, userId: string, { startTime, endTime }: BattleView): Promise<SideResult> => {
    const [rows] = await connection.query(
      `SELECT COALESCE(SUM(count * price), 0) AS score, COUNT(*) AS gifts FROM t_gift_record
       WHERE status = 1 AND room_id = ? AND object_id = ? AND send_time >= ? AND send_time < ?`,
      [roomId, userId, new Date(startTime ?? 0), new Date(endTime ?? 0)],
    );
    const [row] = rows as { score: string; gifts: string }[];
    return { score: Number(row?.score), gifts: Number(row?.gifts) };
  };
  try {
    const problems: string[] = [];
    for (const battle of battles) {
      if (battle.state !== "ended") problems.push(`battle ${battle.battleId} is ${battle.state}`);
      for (const { roomId, userId, score, gifts } of battle.sides) {
        const records = await recorded(roomId, userId, battle);
        const all = sent.get(roomId) ?? { score: 0, gifts: 0 };
        const told = [score, gifts, records.score, records.gifts, all.score, all.gifts];
        if (score !== records.score || gifts !== records.gifts || score !== all.score || gifts !== all.gifts)
          problems.push(`battle ${battle.battleId}, room ${roomId}: result, records and sent are ${told.join(", ")}`);
      }
    }
    return problems;
  } finally {
    await connection.end();
  }
}
