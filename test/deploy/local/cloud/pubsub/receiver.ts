import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Push = {
  message: {
    data?: string;
    attributes?: Record<string, string>;
    messageId: string;
    message_id: string;
    publishTime: string;
    publish_time: string;
    orderingKey?: string;
  };
  subscription: string;
  deliveryAttempt?: number;
};

export type Receiver = {
  url: string;
  pushes: (Push & { text: string; at: number; headers: IncomingHttpHeaders })[];
  close(): Promise<void>;
};

/**
 * An endpoint for pushes.
 * @param answer gives the status; `hang` never answers, `die` breaks the connection
 */
export async function startReceiver(
  answer: (push: Receiver['pushes'][number]) => number | 'hang' | 'die' | Promise<number> = () => 204,
): Promise<Receiver> {
  const pushes: Receiver['pushes'] = [];
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = JSON.parse(Buffer.concat(chunks).toString()) as Push;
      const text = Buffer.from(body.message.data ?? '', 'base64').toString();
      const push = { ...body, text, at: Date.now(), headers: request.headers };
      pushes.push(push);
      void Promise.resolve(answer(push)).then((status) => {
        if (status === 'die') request.socket.destroy();
        else if (status !== 'hang') response.writeHead(status).end();
      });
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    pushes,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Waits until `look` gives something true. @throws after ten seconds, with what it gave last */
export async function until<T>(look: () => T | Promise<T>, patience = 10_000): Promise<NonNullable<T>> {
  const end = Date.now() + patience;
  for (;;) {
    const found = await look();
    if (found) return found;
    if (Date.now() > end) throw new Error(`Waited in vain for ${look}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
