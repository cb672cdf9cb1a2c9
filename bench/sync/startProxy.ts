import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { start } from './children.ts';

/** The process of `googleProxy.ts`. */
export type GoogleProxy = {
  /** For `HTTPS_PROXY`. */
  url: string;
  /** Leads to the local cloud as the proxy does, without a CONNECT before it. */
  origin: string;
  /** Path of the certificate, to be trusted. */
  certificate: string;
};

/** @throws if there is no `openssl` to make a certificate with */
export async function startProxy(dir: string, cloud: string): Promise<GoogleProxy> {
  const [key, certificate] = [join(dir, 'key.pem'), join(dir, 'certificate.pem')];
  const names = 'subjectAltName=DNS:www.googleapis.com,DNS:oauth2.googleapis.com,IP:127.0.0.1';
  const { status, stderr } = spawnSync(
    'openssl',
    [
      ...[
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:prime256v1',
        '-nodes',
        '-days',
        '2',
      ],
      ...['-subj', '/CN=a benchmark of Gazeline', '-addext', names, '-keyout', key, '-out', certificate],
    ],
    { encoding: 'utf8' },
  );
  if (status !== 0)
    throw new Error(`openssl made no certificate: ${stderr || 'it is not there; install openssl'}`);
  const child = start(process.execPath, [
    '--disable-warning=ExperimentalWarning',
    ...['--import', join(import.meta.dirname, '../../deploy/local/host/endWithHost.ts')],
    ...[join(import.meta.dirname, 'googleProxy.ts'), key, certificate, cloud],
  ]);
  child.stderr?.pipe(process.stderr);
  if (!child.stdout) throw new Error('The proxy has no output');
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  const [proxy, tls] = JSON.parse(line) as [number, number];
  return { url: `http://127.0.0.1:${proxy}`, origin: `https://127.0.0.1:${tls}`, certificate };
}
