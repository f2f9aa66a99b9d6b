import { certificateExpiries, readTlsFiles, validityOfOwn, type TlsMaterial } from '@ragmesh/config';
import { RagmeshError, asRagmeshError } from '@ragmesh/errors';
import { gauge, type Logger } from '@ragmesh/observability';

/** Kubernetes swaps links below mounted files, and no notification tells of that reliably. To read them costs nothing. */
const LOOK_EVERY_MS = 5_000;

/** Whose certificates are read by a start and no more: their clients take none while they run. */
const READ_ONCE = ['KAFKA', 'REDIS', 'QDRANT'] as const;

/**
 * The files of one TLS connection, read again every five seconds. What they hold is taken up once it is different and can
 * be used; until then what was read before stays, and a warning says why. Tells when what is in use expires.
 */
export class CertificateWatch<M extends TlsMaterial = TlsMaterial> {
  readonly #listeners: ((latest: M) => void)[] = [];
  readonly #timer: NodeJS.Timeout;
  #isRefused = false;

  private constructor(
    private readonly prefix: string,
    private readonly read: () => M | undefined,
    private readonly logger: Logger,
    private material: M,
  ) {
    tellExpiry(prefix, material);
    this.#timer = setInterval(() => this.#look(), LOOK_EVERY_MS).unref();
  }

  /**
   * @param prefix of the variables that name the files, `GRPC` say.
   * @param read reads the files and throws for what cannot be used; undefined: there are none, and nothing is watched.
   * @throws what `read` throws the first time.
   */
  static start<M extends TlsMaterial>(
    prefix: string,
    read: () => M | undefined,
    logger: Logger,
  ): CertificateWatch<M> | undefined {
    const first = read();
    return first && new CertificateWatch(prefix, read, logger, first);
  }

  /** What is in use. */
  get current(): M {
    return this.material;
  }

  /** @param listener is given what is in use: at once, and each time it is renewed. */
  follow(listener: (latest: M) => void): void {
    listener(this.material);
    this.#listeners.push(listener);
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    try {
      const found = this.read();
      if (found && !isSame(found, this.material)) this.#take(found);
      this.#isRefused = false;
    } catch (error) {
      if (this.#isRefused) return;
      this.#isRefused = true;
      const { code } = asRagmeshError(error);
      this.logger.warn({ code, err: error, certificate: this.prefix }, 'Changed certificate files cannot be used');
    }
  }

  #take(found: M): void {
    refuseWhatDoesNotHold(this.prefix, found);
    this.material = found;
    for (const listener of this.#listeners) listener(found);
    tellExpiry(this.prefix, found);
    this.logger.info({ certificate: this.prefix }, 'Renewed certificate files were taken up');
  }
}

/** @throws RagmeshError CONFIG.INVALID for a certificate that is not valid at the moment, and authorities that all have expired. */
function refuseWhatDoesNotHold(prefix: string, found: TlsMaterial): void {
  const refuse = (part: 'CERT' | 'CA', fault: string): never => {
    throw new RagmeshError('CONFIG.INVALID', `What ${fileVariable(prefix, part)} names ${fault} and is not taken up.`);
  };
  const now = Date.now();
  const own = validityOfOwn(found);
  if (own && own.from.getTime() > now) refuse('CERT', `is not valid before ${own.from.toISOString()}`);
  if (own && own.until.getTime() <= now) refuse('CERT', 'has expired already');
  const trusted = certificateExpiries(found).find(({ part }) => part === 'CA');
  if (trusted && trusted.at.getTime() <= now) refuse('CA', 'has expired already');
}

/** Tells when the certificates expire that connections of these settings were opened with, and that only a restart renews. */
export function tellExpiriesOfStart(config: object): void {
  for (const prefix of READ_ONCE) {
    try {
      tellExpiry(prefix, readTlsFiles(config, prefix) ?? {});
    } catch {
      continue; // whoever opens the connection says what is wrong, if anybody does
    }
  }
}

function tellExpiry(prefix: string, material: TlsMaterial): void {
  for (const { part, at } of certificateExpiries(material)) {
    const labels = { certificate: fileVariable(prefix, part) };
    gauge('ragmesh_certificate_expiry_timestamp_seconds').set(labels, at.getTime() / 1000);
  }
}

const fileVariable = (prefix: string, part: 'CERT' | 'CA'): string => `${prefix}_TLS_${part}_FILE`;

const isSame = (one: TlsMaterial, other: TlsMaterial): boolean =>
  (['ca', 'cert', 'key'] as const).every(
    (part) => one[part] === other[part] || (other[part] !== undefined && one[part]?.equals(other[part])),
  );
