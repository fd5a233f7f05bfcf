import { limits } from "../../config/limits.ts";
import type { MysqlState } from "../../mixins/mysql.mixin.ts";

/** See `living-room.figures`. The table has live rooms alone. */
export async function countLiveRooms(this: MysqlState): Promise<{ rooms: number }> {
  const [row] = await this.mysql.query<{ rooms: string }>(
    "SELECT COUNT(*) AS rooms FROM (SELECT 1 FROM t_living_room LIMIT ?) AS counted",
    [limits.metrics.countedRows],
  );
  return { rooms: Number(row?.rooms ?? 0) };
}
