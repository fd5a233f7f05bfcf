/**
 * The node that pulls a partition: partitions are assigned to the nodes in turn, in the order of their ids. Nodes with the
 * same registry compute the same result, and the numbers of their partitions differ by one at the most. While registries
 * differ, two nodes may pull a partition, or none. Then the order is not certain, but nothing is lost or doubled.
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
