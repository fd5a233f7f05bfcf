/**
 * The partitions that a node pulls. They are dealt out to the nodes in the order of their ids: nodes that see the same
 * nodes compute the same shares, and shares differ by one at the most. While nodes see different sets of nodes, two of
 * them may pull a partition, or none. Then the order is not certain, but nothing is lost or doubled.
 */
export function partitionsOf(nodeId: string, nodeIds: readonly string[], partitions: number): number[] {
  const nodes = [...new Set([...nodeIds, nodeId])].sort();
  const place = nodes.indexOf(nodeId);
  return Array.from({ length: partitions }, (_, partition) => partition).filter(
    (partition) => partition % nodes.length === place,
  );
}
