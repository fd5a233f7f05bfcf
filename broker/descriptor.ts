import { close, closeSync, constants, fstat, fstatSync, mkdir, mkdirSync, open, openSync, type Stats } from "node:fs";
import { dirname } from "node:path";

/** The destination of lines: a file, or one of this process's own streams. */
export type Target = { readonly file: string } | { readonly fd: 1 | 2 };

export interface Descriptor {
  readonly fd: number;
  /** Whether a write may wait for the disk, or (outside Linux) for a terminal; then it needs a thread of its own. */
  readonly mayBlock: boolean;
}

/** With these flags a FIFO without a reader is an error instead of a wait, and a write without room returns. */
const openFlags =
  constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK | constants.O_NOCTTY;
/** Lines contain users and orders, so only the owner and the group may read the file. */
const newFileMode = 0o640;
const newFolderMode = 0o750;

/** Opens the target for appending, in a thread where it is a file. Creates its folder. */
export function openTarget(target: Target, done: (error: unknown, opened?: Descriptor) => void): void {
  if ("fd" in target) {
    openOwnStream(target.fd, done);
    return;
  }
  mkdir(dirname(target.file), { recursive: true, mode: newFolderMode }, (noFolder) => {
    if (noFolder) {
      done(noFolder);
      return;
    }
    open(target.file, openFlags, newFileMode, (notOpen, fd) => {
      if (notOpen) done(notOpen);
      else fstat(fd, (error, stat) => (error ? close(fd, () => done(error)) : done(undefined, ofFile(fd, stat))));
    });
  });
}

function openOwnStream(fd: 1 | 2, done: (error: unknown, opened?: Descriptor) => void): void {
  let opened: Descriptor;
  try {
    opened = ownStream(fd);
  } catch (error) {
    done(error);
    return;
  }
  done(undefined, opened);
}

/** The same without a thread, for the end of the process. Throws where it cannot be opened. */
export function openTargetSync(target: Target): Descriptor {
  if ("fd" in target) return ownStream(target.fd);
  mkdirSync(dirname(target.file), { recursive: true, mode: newFolderMode });
  const fd = openSync(target.file, openFlags, newFileMode);
  return ofFile(fd, fstatSync(fd));
}

function ofFile(fd: number, stat: Stats): Descriptor {
  return { fd, mayBlock: stat.isFile() };
}

/**
 * Standard output or error, without blocking where possible. On Linux a pipe, a device or a terminal is opened again,
 * so that other processes that share it are not affected. For the others Node makes its own stream, which sets the
 * descriptor to non-blocking.
 */
function ownStream(fd: 1 | 2): Descriptor {
  const stat = fstatSync(fd);
  if (stat.isFile()) return { fd, mayBlock: true };
  const own = process.platform === "linux" && !stat.isSocket() ? reopened(fd, stat) : undefined;
  if (own !== undefined) return { fd: own, mayBlock: false };
  void (fd === 1 ? process.stdout : process.stderr);
  return { fd, mayBlock: stat.isCharacterDevice() };
}

/** `undefined` where it may not be opened, or has no reader. */
function reopened(fd: number, { dev, ino }: Stats): number | undefined {
  try {
    const own = openSync(`/dev/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    const stat = fstatSync(own);
    if (stat.dev === dev && stat.ino === ino) return own;
    closeSync(own);
    return undefined;
  } catch {
    // The first write reports the error.
    return undefined;
  }
}
