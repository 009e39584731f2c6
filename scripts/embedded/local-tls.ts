import { readFile } from 'node:fs/promises';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { provideLocalCertificate } from './local-certificate.js';

export interface LocalTls {
  /** For the API server. */
  env: { TLS_CERT_FILE: string; TLS_KEY_FILE: string };
  /** What a browser or another program has to trust. */
  authorityFile: string;
  /** For whoever opens it in a browser. */
  advice: string;
}

/** HTTPS for this machine: provides the certificate, and makes this process trust the authority that signed it. */
export async function localTls(folder: string): Promise<LocalTls> {
  const { authorityFile, certFile, keyFile } = await provideLocalCertificate(folder);
  setDefaultCACertificates([...getCACertificates('default'), await readFile(authorityFile, 'utf8')]);
  return {
    env: { TLS_CERT_FILE: certFile, TLS_KEY_FILE: keyFile },
    authorityFile,
    advice: `browsers ask whether to trust this certificate; they don't once they trust ${authorityFile}`,
  };
}

/** For a terminal: asks the service at this address whether it is ready. @param authorityFile null: plain HTTP */
export function curlCommand(baseUrl: string, authorityFile: string | null): string {
  const trusting = authorityFile === null ? '' : `--cacert '${authorityFile.replaceAll("'", String.raw`'\''`)}' `;
  return `curl ${trusting}${baseUrl}/health/ready`;
}
