import { limits } from "../config/limits.ts";
import { type Child, type ChildExit, EndedBeforeReady } from "./children.ts";
import {
  initialState,
  next,
  type ProcessEvent,
  pauseMs,
  type RestartLimits,
  type RestartState,
} from "./restart-policy.ts";
import { messageOf } from "./stack/wait.ts";

interface SupervisedOptions<Ready> {
  /** Its name in messages for people. */
  name: string;
  /** Starts it; `former` is its former ready line, so that it can take the same ports. */
  start: (former: Ready | undefined) => Child;
  /** Parses its ready line. */
  read: (match: RegExpMatchArray | undefined) => Ready;
  limits: RestartLimits;
  /** Called with a line for people when it ends by itself, is restarted or is given up. */
  tell: (line: string) => void;
  /** Called when it is ready again after a restart. */
  restarted?: (ready: Ready, pid: number | undefined) => void;
}

/** The most characters that are shown of each last line. */
const shownChars = 300;

/** How a supervised process ended for good. */
export type End = "ended" | "givenUp";

/**
 * A child that is restarted when it ends by itself, as far as the limits allow (restart-policy.ts). A first start that
 * fails is not repeated: `ready` rejects.
 */
export class Supervised<Ready> {
  /**
   * The first ready line. Rejects, with the child's last lines, where the first start fails; the child may still have
   * to be stopped.
   */
  readonly ready: Promise<Ready>;
  /** Resolves when it has ended and is not restarted. Never rejects. */
  readonly over: Promise<End>;
  private readonly options: SupervisedOptions<Ready>;
  private readonly isOver: (end: End) => void;
  private state: RestartState = initialState;
  private child: Child;
  /** The child that was not ready in time after a restart and is ended for that: a failure, whatever its exit code. */
  private abandoned: Child | undefined;
  private former: Ready | undefined;
  private timer: NodeJS.Timeout | undefined;

  constructor(options: SupervisedOptions<Ready>) {
    this.options = options;
    const over = Promise.withResolvers<End>();
    this.over = over.promise;
    this.isOver = over.resolve;
    this.child = options.start(undefined);
    this.ready = this.watch(this.child);
    // A rejection that nobody awaits must not end this process; whoever awaits `ready` still gets it.
    this.ready.catch(() => undefined);
  }

  get name(): string {
    return this.options.name;
  }

  /** The pid of the present child; `undefined` where it could not be started. */
  get pid(): number | undefined {
    return this.child.pid;
  }

  /** Ends it for good; resolves when it has ended. */
  async stop(): Promise<void> {
    this.step("stop");
    if (this.state.phase !== "stopping") return;
    await this.child.stop(limits.restarts.nodeStopMs);
  }

  private async watch(child: Child): Promise<Ready> {
    void child.exited.then((exit) => this.ended(child, exit));
    const ready = this.options.read(await child.ready);
    this.former = ready;
    this.step("ready");
    return ready;
  }

  private ended(child: Child, exit: ChildExit): void {
    const before = this.state.phase;
    this.step(exit.code === 0 && child !== this.abandoned ? "endedWell" : "failed");
    if (before === "stopping" || before === "starting") return;
    this.tellEnd(child, exit);
    if (this.state.phase !== "pausing") return;
    this.timer = setTimeout(() => this.restart(), pauseMs(this.state, this.options.limits));
  }

  private tellEnd(child: Child, { code, signal }: ChildExit): void {
    const { name, tell, limits: restarts } = this.options;
    const { phase, failures } = this.state;
    const who = `${name} (pid ${child.pid})`;
    const how = signal ?? `exit code ${code}`;
    if (phase === "ended") {
      tell(`${who} ended with ${how}, as asked`);
      return;
    }
    const lines = child
      .lastLines()
      .map((line) => (line.length > shownChars ? `${line.slice(0, shownChars)} ...` : line));
    const tail = lines.length === 0 ? "It wrote nothing." : `Its last lines:\n    ${lines.join("\n    ")}`;
    const why = child === this.abandoned ? "was ended, since it was not ready in time" : "ended by itself";
    tell(`${who} ${why}, with ${how}. ${tail}`);
    const within = `${restarts.most} within ${restarts.withinMs / 60_000} minutes`;
    if (phase === "givenUp") tell(`${name} is not started again (restarts: ${within})`);
    const seconds = pauseMs(this.state, restarts) / 1000;
    if (phase === "pausing") tell(`${name} is started again in ${seconds} s (restart ${failures.length} of ${within})`);
  }

  private restart(): void {
    if (this.step("pauseOver").phase !== "restarting") return;
    const child = this.options.start(this.former);
    this.child = child;
    this.watch(child).then(
      (ready) => this.options.restarted?.(ready, child.pid),
      (error: unknown) => {
        // Where the child has ended, `ended` reports it.
        if (error instanceof EndedBeforeReady || this.state.phase !== "restarting") return;
        this.abandoned = child;
        this.options.tell(`${this.name} did not come back: ${messageOf(error)}`);
        void child.stop(limits.restarts.nodeStopMs);
      },
    );
  }

  private step(event: ProcessEvent): RestartState {
    this.state = next(this.state, event, Date.now(), this.options.limits);
    const { phase } = this.state;
    if (phase === "ended" || phase === "givenUp") {
      clearTimeout(this.timer);
      this.isOver(phase);
    }
    return this.state;
  }
}
