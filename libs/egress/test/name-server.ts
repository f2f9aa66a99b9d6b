import { createSocket } from 'node:dgram';
import type { AddressInfo } from 'node:net';

/** A DNS server on this machine. */
export interface NameServer {
  /** As a resolver takes it. */
  readonly address: string;
  /** Names it was asked for, each time. */
  readonly asked: readonly string[];
  close(): Promise<void>;
}

const HEADER_BYTES = 12;
const TYPE_A = 1;

/** What a server says of a name: IPv4 addresses, none, that it will not say, or nothing at all. */
type Answer = (name: string) => readonly string[] | 'refusal' | 'silence';

export async function startNameServer(answer: Answer): Promise<NameServer> {
  const asked: string[] = [];
  const socket = createSocket('udp4');
  socket.on('message', (query, { port, address }) => {
    const { name, type, end } = questionOf(query);
    asked.push(name);
    const said = answer(name);
    if (said === 'silence') return;
    const addresses = said === 'refusal' ? [] : said;
    const records = type === TYPE_A ? addresses.map(recordOf) : [];
    const header = Buffer.from(query.subarray(0, HEADER_BYTES));
    header.writeUInt16BE(said === 'refusal' ? 0x8185 : 0x8180, 2); // an answer, by a server that looks further by itself
    header.writeUInt16BE(1, 4);
    header.writeUInt16BE(records.length, 6);
    header.writeUInt32BE(0, 8);
    socket.send(Buffer.concat([header, query.subarray(HEADER_BYTES, end), ...records]), port, address);
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  const { port } = socket.address() as AddressInfo;
  const close = (): Promise<void> => new Promise((resolve) => void socket.close(() => resolve()));
  return { address: `127.0.0.1:${port}`, asked, close };
}

function questionOf(query: Buffer): { name: string; type: number; end: number } {
  const labels: string[] = [];
  let at = HEADER_BYTES;
  for (let length = query[at]!; length > 0; length = query[at]!) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += length + 1;
  }
  return { name: labels.join('.').toLowerCase(), type: query.readUInt16BE(at + 1), end: at + 5 };
}

/** An A record of the name that was asked for, kept for no time. */
const recordOf = (address: string): Buffer =>
  Buffer.from([0xc0, HEADER_BYTES, 0, TYPE_A, 0, 1, 0, 0, 0, 0, 0, 4, ...address.split('.').map(Number)]);
