/**
 * The node that pulls a partition: partitions are dealt out to the nodes in the order of their ids. Nodes that see the
 * same nodes compute the same, and the nodes' shares differ by one at the most. While nodes see different sets of nodes,
 * two of them may pull a partition, or none. Then the order is not certain, but nothing is lost or doubled.
 *
 * @param sortedIds at least one, in the order of their ids
 */
export function nodeOfPartition(partition: number, sortedIds: readonly string[]): string {
  return sortedIds[partition % sortedIds.length] as string;
}

/** The partitions that a node pulls. */
export function partitionsOf(nodeId: string, nodeIds: readonly string[], partitions: number): number[] {
  const nodes = [...new Set([...nodeIds, nodeId])].sort();
  return Array.from({ length: partitions }, (_, partition) => partition).filter(
    (partition) => nodeOfPartition(partition, nodes) === nodeId,
  );
}
