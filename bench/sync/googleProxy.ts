import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { createServer as createTlsServer } from 'node:tls';

/*
 * Stands for www.googleapis.com and oauth2.googleapis.com before the local cloud, for clients that can be told of a proxy
 * but not of another Drive, like rclone. It ends TLS and hands the bytes on as they are: no HTTP is read, so that it costs
 * as little as it can. A process of its own, since the local cloud needs its own processor.
 * Usage: googleProxy.ts KEY CERTIFICATE CLOUD. It prints its two ports: of the proxy (HTTP CONNECT), and of TLS without one.
 */
const [key = '', certificate = '', cloud = ''] = process.argv.slice(2);
const { hostname, port } = new URL(cloud);

const tls = createTlsServer(
  { key: readFileSync(key), cert: readFileSync(certificate), ALPNProtocols: ['http/1.1'], noDelay: true },
  (client) => {
    const server = connect({ host: hostname, port: Number(port), noDelay: true });
    // Either side may leave at any time, as connections that are kept alive do; then the other one goes as well.
    pipeline(client, server, client).catch(() => {});
  },
);
tls.on('tlsClientError', ({ message }) => console.error(`googleProxy: ${message}`));

const proxy = createServer((_request, response) => response.writeHead(405).end());
proxy.on('connect', ({ url }, socket: Socket, head: Buffer) => {
  if (!/\.googleapis\.com:443$/.test(url ?? '')) return void socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
  socket.on('error', () => {});
  socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
  if (head.length > 0) socket.unshift(head);
  tls.emit('connection', socket);
});

const ports: number[] = [];
for (const server of [proxy, tls]) {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ports.push((server.address() as AddressInfo).port);
}
console.log(JSON.stringify(ports));
