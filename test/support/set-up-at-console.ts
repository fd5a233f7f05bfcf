import { databaseName } from "../../config/config.ts";
import { Database } from "../../mixins/mysql/database.ts";

/** Changes a row of the staff's database. */
export async function onStaffDatabase(sql: string, name: string): Promise<void> {
  const database = new Database(databaseName("staff"), { connections: 1 });
  try {
    await database.run(sql, [name]);
  } finally {
    await database.close();
  }
}

/** The person decides on proposals at once, as who was set up at a console. */
export const setUpAtConsole = (name: string): Promise<void> =>
  onStaffDatabase("UPDATE t_staff_person SET setup_by = 'console:test', decides_from = NULL WHERE name = ?", name);
