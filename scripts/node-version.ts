/** Ends with a clear sentence where this Node cannot run TypeScript. */
export function requireNode(): void {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  if (major > 22 || (major === 22 && minor >= 18)) return;
  console.error(
    `This is Node ${process.versions.node}, and Ovation needs 22.18 or newer. "npm ci" brings Node 24 along in the ` +
      `package "node"; start through npm (npm start, npm test, npm run ...), which finds it.`,
  );
  process.exit(1);
}
