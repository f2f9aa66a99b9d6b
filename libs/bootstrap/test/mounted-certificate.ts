import { copyFileSync, mkdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CertificateAuthority, IssuedCertificate } from '@ragmesh/testing';

/** Files of a certificate as Kubernetes mounts a secret: links into a folder that is swapped as a whole. */
export class MountedCertificate {
  #version = 0;

  constructor(private readonly folder: string) {
    mkdirSync(folder, { recursive: true });
    for (const name of ['tls.crt', 'tls.key', 'ca.crt']) symlinkSync(join('..data', name), join(folder, name));
  }

  get cert(): string {
    return join(this.folder, 'tls.crt');
  }

  get key(): string {
    return join(this.folder, 'tls.key');
  }

  get ca(): string {
    return join(this.folder, 'ca.crt');
  }

  /** Variables that name the files. */
  variables(prefix: string): Record<string, string> {
    return {
      ...{ [`${prefix}_TLS_CERT_FILE`]: this.cert, [`${prefix}_TLS_KEY_FILE`]: this.key },
      ...{ [`${prefix}_TLS_CA_FILE`]: this.ca },
    };
  }

  /** Puts these in the place of what was there. */
  put({ cert, key }: Omit<IssuedCertificate, 'both'>, ...trusted: Pick<CertificateAuthority, 'file'>[]): void {
    const version = `..version-${(this.#version += 1)}`;
    mkdirSync(join(this.folder, version));
    copyFileSync(cert, join(this.folder, version, 'tls.crt'));
    copyFileSync(key, join(this.folder, version, 'tls.key'));
    const authorities = trusted.map(({ file }) => readFileSync(file, 'utf8')).join('');
    writeFileSync(join(this.folder, version, 'ca.crt'), authorities);
    symlinkSync(version, join(this.folder, '..next'));
    renameSync(join(this.folder, '..next'), join(this.folder, '..data'));
  }
}
