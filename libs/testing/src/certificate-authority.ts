import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const CURVE = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
/** Where servers of specs are. */
const LOOPBACK = 'subjectAltName=DNS:localhost,IP:127.0.0.1';

/** Files (PEM) of one party. */
export interface IssuedCertificate {
  readonly cert: string;
  readonly key: string;
  /** Key and certificate in one file, as Java's key stores want it. */
  readonly both: string;
}

/** An authority that lives as long as a spec's folder, and whom nobody else trusts. Needs `openssl`. */
export class CertificateAuthority {
  private constructor(
    private readonly folder: string,
    /** Its own certificate. */
    readonly file: string,
  ) {}

  static create(folder: string, name = 'spec-authority'): CertificateAuthority {
    mkdirSync(folder, { recursive: true });
    const file = join(folder, `${name}.pem`);
    const files = ['-keyout', join(folder, `${name}.key`), '-out', file];
    openssl(['-x509', ...CURVE, ...files, '-subj', `/CN=${name}`, '-addext', 'keyUsage=critical,keyCertSign']);
    return new CertificateAuthority(folder, file);
  }

  /** A certificate for servers on this machine and for clients. @param days how long it lasts. */
  issue(name: string, days = 2): IssuedCertificate {
    const [cert, key, both] = ['crt', 'key', 'both.pem'].map((ending) => join(this.folder, `${name}.${ending}`));
    const signing = ['-CA', this.file, '-CAkey', this.file.replace(/pem$/, 'key')];
    const extensions = ['-addext', LOOPBACK, '-addext', 'basicConstraints=critical,CA:FALSE'];
    const files = ['-keyout', key!, '-out', cert!, '-days', String(days)];
    openssl(['-x509', ...CURVE, ...files, '-subj', `/CN=${name}`, ...signing, ...extensions]);
    writeFileSync(both!, Buffer.concat([readFileSync(key!), readFileSync(cert!)]), { mode: 0o600 });
    return { cert: cert!, key: key!, both: both! };
  }
}

function openssl(args: readonly string[]): void {
  const { status, stderr, error } = spawnSync('openssl', ['req', '-days', '2', ...args], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`openssl failed: ${error?.message ?? stderr}`);
}
