import kafkajs from 'kafkajs';

const { CompressionCodecs, CompressionTypes, Kafka, Partitioners, logLevel } = kafkajs;

/** Writes a record that kafkajs cannot read, because it has no such codec: each of its consumers gives up for good there. */
export async function writeUnreadable(brokers: readonly string[], topic: string): Promise<void> {
  const kafka = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING });
  const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
  await producer.connect();
  const builtIn = CompressionCodecs[CompressionTypes.Snappy];
  CompressionCodecs[CompressionTypes.Snappy] = snappyLiterals;
  await producer.send({ topic, compression: CompressionTypes.Snappy, messages: [{ value: 'x', partition: 0 }] });
  CompressionCodecs[CompressionTypes.Snappy] = builtIn;
  await producer.disconnect();
}

/** Snappy that stores instead of compressing: the length, then literals of up to 60 bytes. The broker checks what it gets. */
function snappyLiterals() {
  const compress = ({ buffer }: { buffer: Buffer }): Promise<Buffer> => {
    const parts: Buffer[] = [Buffer.from([(buffer.length & 0x7f) | 0x80, buffer.length >> 7])];
    for (let start = 0; start < buffer.length; start += 60) {
      const literal = buffer.subarray(start, start + 60);
      parts.push(Buffer.from([(literal.length - 1) << 2]), literal);
    }
    return Promise.resolve(Buffer.concat(parts));
  };
  return { compress, decompress: (buffer: Buffer) => Promise.resolve(buffer) };
}
