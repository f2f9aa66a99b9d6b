const SEED = 0x9747b28c;
const M = 0x5bd1e995;

/** murmur2 as Kafka's default partitioner computes it (org.apache.kafka.common.utils.Utils), so keys keep their place. */
function murmur2(data: Uint8Array): number {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  let hash = SEED ^ data.length;
  const words = data.length >> 2;
  for (let word = 0; word < words; word += 1) {
    let k = Math.imul(view.getInt32(word * 4, true), M);
    k = Math.imul(k ^ (k >>> 24), M);
    hash = Math.imul(hash, M) ^ k;
  }
  const rest = words * 4;
  const left = data.length - rest;
  if (left === 3) hash ^= data[rest + 2]! << 16;
  if (left >= 2) hash ^= data[rest + 1]! << 8;
  if (left >= 1) hash = Math.imul(hash ^ data[rest]!, M);
  hash = Math.imul(hash ^ (hash >>> 13), M);
  return hash ^ (hash >>> 15);
}

/** The partition of a key: all records of one aggregate share one, and so keep their order. */
export function partitionForKey(key: string, partitions: number): number {
  return (murmur2(new TextEncoder().encode(key)) & 0x7fffffff) % partitions;
}
