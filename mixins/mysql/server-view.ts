import type { Service } from "moleculer";
import type { HealthState } from "../health.mixin.ts";

/** The hooks of a mixin that a view runs. */
interface ViewedMixin {
  readonly started?: unknown;
  readonly stopped?: unknown;
}

type Hook = (this: unknown) => unknown;

/** A service's part on a further server of its database. */
export interface OpenedView<State> {
  readonly view: Service & State;
  /** Ends what the mixins began, the last one first. */
  close(): Promise<void>;
}

/**
 * Gives a service the state of its mixins once more, for a further MySQL server: the view is the service, but for what
 * the mixins put on it (database, outbox, seals). Its metrics, leases in the log and checks of health carry the server's
 * name, `wallet@b`. Where a mixin fails to start, those before it are stopped, and this rejects.
 */
export async function openView<State extends object>(
  service: Service & HealthState,
  server: string,
  mixins: readonly ViewedMixin[],
): Promise<OpenedView<State>> {
  service.healthChecks ??= new Map();
  const view = Object.create(service, {
    name: { value: `${service.name}@${server}`, enumerable: true },
    healthSuffix: { value: server, enumerable: true },
  }) as Service & State;
  const begun: ViewedMixin[] = [];
  const close = async () => {
    for (const { stopped } of begun.splice(0).reverse()) await (stopped as Hook | undefined)?.call(view);
  };
  try {
    for (const mixin of mixins) {
      begun.push(mixin);
      await (mixin.started as Hook | undefined)?.call(view);
    }
  } catch (error) {
    await close();
    throw error;
  }
  return { view, close };
}
