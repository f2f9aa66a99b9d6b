import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What goes wrong with the bytes of large files. */
export interface HubFaults {
  /** Connections that still get this many bytes and then break. */
  cuts: number[];
  /** Flips a byte of what is sent, this many times. */
  corrupt: number;
  /** Sends more or fewer bytes than announced. */
  extraBytes: number;
  /** Ignores ranges. */
  ignoresRange: boolean;
  /** Never sends anything. */
  silent: boolean;
  /** Answers of the hub itself before it works. */
  statuses: { status: number; headers?: Record<string, string> }[];
  /** Where large files are said to lie. */
  redirectTo: string | undefined;
  /** Size that large files are said to have. */
  announcedBytes: number | undefined;
}

const lfsAbove = 1_000;
const sha256 = (content: Buffer): string => createHash('sha256').update(content).digest('hex');
const gitSha1 = (content: Buffer): string =>
  createHash('sha1').update(`blob ${content.length}\0`).update(content).digest('hex');

/** The HTTP of the Hugging Face hub for one repository, with the network of another host behind it for large files. */
export class HubServer {
  /** `METHOD path range`, in order. */
  readonly requests: string[] = [];
  readonly cdnHeaders: IncomingMessage['headers'][] = [];
  readonly faults: HubFaults = {
    ...{ cuts: [], corrupt: 0, extraBytes: 0, ignoresRange: false, silent: false, statuses: [] },
    ...{ redirectTo: undefined, announcedBytes: undefined },
  };
  commit = 'c0ffee'.padEnd(40, '0');
  token: string | undefined;

  private constructor(
    readonly repository: string,
    readonly files: Map<string, Buffer>,
    private readonly hub: Server,
    private readonly cdn: Server,
  ) {}

  static async start(repository: string, files: Record<string, Buffer | string>): Promise<HubServer> {
    const [hub, cdn] = [createServer(), createServer()];
    const contents = Object.entries(files).map(([path, content]): [string, Buffer] => [path, Buffer.from(content)]);
    const server = new HubServer(repository, new Map(contents), hub, cdn);
    hub.on('request', (request, response) => server.answer(request, response));
    cdn.on('request', (request, response) => server.deliver(request, response));
    await Promise.all([hub, cdn].map((each) => new Promise<void>((done) => each.listen(0, '127.0.0.1', done))));
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.hub.address() as AddressInfo).port}`;
  }

  get cdnHost(): string {
    return `127.0.0.1:${(this.cdn.address() as AddressInfo).port}`;
  }

  count(prefix: string): number {
    return this.requests.filter((request) => request.startsWith(prefix)).length;
  }

  async close(): Promise<void> {
    for (const server of [this.hub, this.cdn]) {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    }
  }

  private answer(request: IncomingMessage, response: ServerResponse): void {
    this.requests.push(`${request.method} ${request.url}`);
    const refuse = (status: number, code: string): void =>
      void response.writeHead(status, { 'x-error-code': code }).end();
    const fault = this.faults.statuses.shift();
    if (fault) return void response.writeHead(fault.status, fault.headers).end();
    const url = decodeURIComponent(request.url!);
    const [, repository, revision, path] =
      /^\/api\/models\/(.+)\/revision\/([^/?]+)/.exec(url) ?? /^\/(.+)\/resolve\/([^/]+)\/(.+)$/.exec(url) ?? [];
    // The hub does not tell a stranger whether a private repository exists.
    if (repository !== this.repository) return refuse(401, 'RepoNotFound');
    if (this.token && request.headers.authorization !== `Bearer ${this.token}`) return refuse(403, 'GatedRepo');
    if (revision !== 'main' && revision !== this.commit) return refuse(404, 'RevisionNotFound');
    if (path === undefined) {
      const siblings = [...this.files.keys()].map((rfilename) => ({ rfilename }));
      return void response.end(JSON.stringify({ id: repository, sha: this.commit, siblings }));
    }
    const content = this.files.get(path);
    if (!content) return refuse(404, 'EntryNotFound');
    if (content.length > lfsAbove) return this.redirect(path, content, response);
    const headers = { 'x-repo-commit': this.commit, etag: `"${gitSha1(content)}"`, 'content-length': content.length };
    response.writeHead(200, headers).end(request.method === 'HEAD' ? undefined : content);
  }

  private redirect(path: string, content: Buffer, response: ServerResponse): void {
    const headers = {
      'x-repo-commit': this.commit,
      'x-linked-size': this.faults.announcedBytes ?? content.length,
      'x-linked-etag': `"${sha256(content)}"`,
      location: this.faults.redirectTo ?? `http://${this.cdnHost}/${encodeURIComponent(path)}?signature=secret`,
    };
    response.writeHead(302, headers).end();
  }

  private deliver(request: IncomingMessage, response: ServerResponse): void {
    const path = decodeURIComponent(request.url!.slice(1).split('?')[0]!);
    const range = this.faults.ignoresRange ? undefined : /^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1];
    this.requests.push(`CDN ${path} ${request.headers.range ?? ''}`.trim());
    this.cdnHeaders.push(request.headers);
    if (this.faults.silent) return;
    const content = this.files.get(path)!;
    let body = Buffer.concat([content, Buffer.alloc(this.faults.extraBytes)]).subarray(Number(range ?? 0));
    if (this.faults.corrupt > 0) {
      this.faults.corrupt -= 1;
      body = Buffer.from(body);
      body[0]! ^= 1;
    }
    const headers = range ? { 'content-range': `bytes ${range}-${content.length - 1}/${content.length}` } : {};
    response.writeHead(range ? 206 : 200, headers);
    const cut = this.faults.cuts.shift();
    if (cut === undefined) return void response.end(body);
    response.write(body.subarray(0, cut), () => setImmediate(() => response.destroy()));
  }
}
