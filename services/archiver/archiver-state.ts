import type { NamedKeys } from "../../config/named-keys.ts";
import type { BackgroundLoop } from "../../mixins/background-loop.ts";
import type { MysqlState } from "../../mixins/mysql.mixin.ts";
import type { ArchiveJob } from "./archive-job.ts";
import type { Target } from "./targets.ts";

/** What the service, its mixins and its start put on `this`. */
export interface ArchiverState extends MysqlState {
  zone: string;
  keys: NamedKeys;
  targets: Target[];
  job: ArchiveJob;
  archiveGauges: BackgroundLoop;
}
