import { lstatSync, mkdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Site } from "./server.ts";

/** The longest path of a socket is 107 bytes on Linux and 103 on macOS. */
const LONGEST_SOCKET_PATH = 103;
const SOCKET = "mysql.sock";

/**
 * The path of the server's Unix socket: in the site's folder, or in a private temporary one where that path is too
 * long.
 */
export function prepareSocket(site: Site): string {
  const usual = join(site.dir, SOCKET);
  if (Buffer.byteLength(usual) <= LONGEST_SOCKET_PATH) return usual;
  const folder = socketFolder(site);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const facts = lstatSync(folder);
  if (!facts.isDirectory() || facts.uid !== process.getuid?.()) {
    throw new Error(`${folder} is in the way and not ours; remove it, or choose a stack folder with a shorter path`);
  }
  return join(folder, SOCKET);
}

export function removeSocketFolder(site: Site): void {
  if (Buffer.byteLength(join(site.dir, SOCKET)) > LONGEST_SOCKET_PATH) {
    rmSync(socketFolder(site), { recursive: true, force: true });
  }
}

function socketFolder(site: Site): string {
  return join(tmpdir(), site.mark);
}
