import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';

export type Post = {
  /** The status of the answer; 0 if there was none. It waits for as long as the connection stands. */
  (url: string, body: Buffer, headers: Record<string, string>): Promise<number>;
  close(): void;
};

/** POST over connections that are kept. Not by fetch, which gives up after five minutes without an answer. */
export function createPost(): Post {
  const http = new HttpAgent({ keepAlive: true });
  const https = new HttpsAgent({ keepAlive: true });

  const post = (url: string, body: Buffer, headers: Record<string, string>) =>
    new Promise<number>((resolve) => {
      const secure = url.startsWith('https:');
      const request = (secure ? httpsRequest : httpRequest)(url, {
        method: 'POST',
        agent: secure ? https : http,
        headers: { ...headers, 'content-length': body.length },
      });
      request
        // "102 Processing" counts as an acknowledgement, though HTTP lets another status follow.
        .on('information', ({ statusCode }) => statusCode === 102 && resolve(statusCode))
        .on('response', (response) => {
          response.on('error', () => {}).resume();
          resolve(response.statusCode ?? 0);
        })
        .on('error', () => resolve(0))
        .end(body);
    });

  return Object.assign(post, {
    close() {
      http.destroy();
      https.destroy();
    },
  });
}
