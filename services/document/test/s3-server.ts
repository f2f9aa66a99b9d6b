import { readFile, readdir, rm, stat } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo, Socket } from 'node:net';
import { join } from 'node:path';
import type { S3Options } from '../src/adapters/s3-blob-store.js';

interface S3rver {
  run(): Promise<AddressInfo>;
  close(): Promise<void>;
  readonly httpServer: Server;
  readonly middleware: ((context: Context, next: () => Promise<void>) => Promise<void>)[];
}

/** Of one request, as the server's framework hands it on. */
interface Context {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string | undefined>>;
  status: number;
  type: string;
  body: unknown;
}

const S3rver = createRequire(import.meta.url)('s3rver') as new (options: Record<string, unknown>) => S3rver;

export const BUCKET = 'documents';
/** The one key this server knows. */
const CREDENTIALS = { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' };

/** An S3 server on the loopback interface that keeps its objects in a folder. */
export class S3Server {
  /** Method and address of each request, in the order they came. */
  readonly requests: string[] = [];
  /** Whether the key has no right to see uploads in parts that are not completed. */
  hidesUploads = false;
  readonly #sockets = new Set<Socket>();

  private constructor(
    private readonly server: S3rver,
    readonly port: number,
    /** Of each upload in parts that is neither completed nor aborted a folder, as old as the upload. */
    readonly uploads: string,
  ) {
    server.httpServer.on('connection', (socket: Socket) => void this.#sockets.add(socket));
    server.httpServer.on('request', ({ method, url }: IncomingMessage) => void this.requests.push(`${method} ${url}`));
  }

  /** What it has written to its clients since it was started. */
  get sentBytes(): number {
    return [...this.#sockets].reduce((sum, { bytesWritten }) => sum + bytesWritten, 0);
  }

  static async start(directory: string): Promise<S3Server> {
    const options = { address: '127.0.0.1', port: 0, silent: true, directory, vhostBuckets: false };
    const server = new S3rver({ ...options, configureBuckets: [{ name: BUCKET }] });
    const uploads = join(directory, BUCKET, '._S3rver_uploads');
    // Before the port is bound: only what is there by then answers.
    server.middleware.unshift((context, next) =>
      started.hidesUploads && context.query.uploads !== undefined && context.method === 'GET'
        ? refuse(context, 403, 'AccessDenied')
        : answerOfUploads(uploads, context, next),
    );
    const started: S3Server = new S3Server(server, (await server.run()).port, uploads);
    return started;
  }

  async stop(): Promise<void> {
    this.server.httpServer.closeAllConnections();
    await this.server.close();
  }
}

/** So few that a handful of uploads take several pages. */
const UPLOADS_OF_PAGE = 2;

/** Lists and aborts uploads in parts, which the server cannot. */
async function answerOfUploads(folder: string, context: Context, next: () => Promise<void>): Promise<void> {
  const { method, query } = context;
  if (method === 'DELETE' && query.uploadId) {
    if (!(await readdir(folder)).includes(query.uploadId)) return refuse(context, 404, 'NoSuchUpload');
    await rm(join(folder, query.uploadId), { recursive: true });
    context.status = 204;
  } else if (method === 'GET' && query.uploads !== undefined) {
    context.type = 'application/xml';
    context.body = await pageOfUploads(folder, query['upload-id-marker'] ?? '');
  } else await next();
}

async function refuse(context: Context, status: number, code: string): Promise<void> {
  context.status = status;
  context.type = 'application/xml';
  context.body = `<Error><Code>${code}</Code></Error>`;
}

async function pageOfUploads(folder: string, after: string): Promise<string> {
  const ids = (await readdir(folder).catch(() => [])).filter((id) => id > after).toSorted();
  const page = ids.slice(0, UPLOADS_OF_PAGE);
  const uploads = page.map(async (id) => {
    const [key, { mtime }] = await Promise.all([readFile(join(folder, id, 'key'), 'utf8'), stat(join(folder, id))]);
    return `<Upload><Key>${key}</Key><UploadId>${id}</UploadId><Initiated>${mtime.toISOString()}</Initiated></Upload>`;
  });
  const markers = `<NextKeyMarker>any</NextKeyMarker><NextUploadIdMarker>${page.at(-1)}</NextUploadIdMarker>`;
  const isTruncated = ids.length > page.length;
  return `<ListMultipartUploadsResult><IsTruncated>${isTruncated}</IsTruncated>${isTruncated ? markers : ''}${(
    await Promise.all(uploads)
  ).join('')}</ListMultipartUploadsResult>`;
}

export const optionsFor = (port: number, changes: Partial<S3Options> = {}): S3Options => ({
  bucket: BUCKET,
  region: 'us-east-1',
  endpoint: `http://127.0.0.1:${port}`,
  credentials: CREDENTIALS,
  forcePathStyle: true,
  ...changes,
});

/** A server that answers every request with one S3 error, as servers write it; counts the requests. */
export async function refusingServer(
  status: number,
  code: string,
): Promise<{ port: number; seen: () => number; stop: () => void }> {
  let seen = 0;
  const server = createServer((request, response) => {
    seen += 1;
    request.resume().on('end', () => {
      response.writeHead(status, { 'content-type': 'application/xml' });
      response.end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>No.</Message></Error>`);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as AddressInfo).port, seen: () => seen, stop: () => void server.close() };
}

const UPLOAD = '<InitiateMultipartUploadResult><UploadId>unfinished</UploadId></InitiateMultipartUploadResult>';

/** A server that is full after the first part of an upload, as far as one goes to it; tells what it was asked. */
export async function fullAfterOnePart(): Promise<{ port: number; requests: readonly string[]; stop: () => void }> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    const line = `${request.method} ${request.url}`;
    requests.push(line);
    request.resume().on('end', () => {
      response.writeHead(statusOfPart(line), { 'content-type': 'application/xml', etag: '"part"' });
      response.end(line.startsWith('POST ') ? UPLOAD : '');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as AddressInfo).port, requests, stop: () => void server.close() };
}

function statusOfPart(line: string): number {
  if (line.startsWith('HEAD ')) return 404; // what is to be uploaded is not there yet
  if (line.startsWith('DELETE ')) return 204;
  return line.startsWith('POST ') || line.includes('partNumber=1&') ? 200 : 507;
}
