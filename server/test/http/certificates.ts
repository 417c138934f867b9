import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A certificate of its own authority for 127.0.0.1, and its key, as files. */
export interface Pair {
  cert_file: string;
  key_file: string;
  cert: Buffer;
  key: Buffer;
}

/** A folder with certificates that are made on demand. */
export function certificates() {
  const folder = mkdtempSync(join(tmpdir(), 'aldis-tls-'));
  return {
    folder,
    make(name: string): Pair {
      const [cert_file, key_file] = [join(folder, `${name}.pem`), join(folder, `${name}.key`)];
      const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
      const whose = ['-subj', `/CN=${name}`, '-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost'];
      execFileSync('openssl', ['req', '-x509', ...kind, ...whose, '-keyout', key_file, '-out', cert_file], {
        stdio: 'pipe',
      });
      return { cert_file, key_file, cert: readFileSync(cert_file), key: readFileSync(key_file) };
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
