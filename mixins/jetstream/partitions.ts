/**
 * Which partitions a node pulls: they are dealt out to the nodes in the order of their ids, so every node that sees the
 * same nodes comes to the same answer, and the shares differ by one at the most. While nodes see different neighbours a
 * partition may be pulled by two of them, or for a moment by none: order suffers then, nothing is lost or doubled.
 */
export function partitionsOf(nodeId: string, nodeIds: readonly string[], partitions: number): number[] {
  const nodes = [...new Set([...nodeIds, nodeId])].sort();
  const place = nodes.indexOf(nodeId);
  return Array.from({ length: partitions }, (_, partition) => partition).filter(
    (partition) => partition % nodes.length === place,
  );
}
