import { AsyncLocalStorage } from 'node:async_hooks';
import { subscribe } from 'node:diagnostics_channel';
import type { ClientRequest } from 'node:http';
import { Worker } from 'node:worker_threads';
import type { Publish } from '../../shared/publish.ts';

/** Before the request leaves, or when it has been answered and nobody has heard it yet. */
export type Kill = 'before' | 'after' | undefined;

type Life = { isDead: boolean; die(): void };

/**
 * Work that may be killed as a process is: at any of its requests, and from then on no request leaves it any more, nor
 * does it hear of one, so that its code can do nothing about it. What runs side by side lives on.
 * @param strikes asked at each request, and at each publication
 */
export function kills(strikes: () => Kill) {
  const lives = new AsyncLocalStorage<Life>();
  const never = new Promise<never>(() => {});

  subscribe('http.client.request.created', (message) => {
    const { request } = message as { request: ClientRequest };
    const life = lives.getStore();
    // What is done in one life shares its access token with all others.
    if (!life || request.path === '/token') return;
    const kill = life.isDead ? 'before' : strikes();
    if (kill === 'after') request.once('response', life.die);
    if (kill !== 'before') return;
    life.die();
    request.emit = () => false;
    request.destroy();
  });

  // Requests that the thread of the bytes makes (`shared/drive/passage.ts`) are known by what it is told.
  const { postMessage } = Worker.prototype;
  Worker.prototype.postMessage = function (this: Worker, task: { what?: string }) {
    const life = lives.getStore();
    if (!life || (task.what !== 'ask' && task.what !== 'send')) return postMessage.call(this, task);
    const kill = life.isDead ? 'before' : strikes();
    if (kill !== 'before') postMessage.call(this, task);
    if (kill) life.die();
  };

  return {
    /** @throws when it is killed */
    run: (work: () => Promise<void>): Promise<void> =>
      new Promise((resolve, reject) => {
        const life: Life = {
          isDead: false,
          die() {
            life.isDead = true;
            reject(new Error('killed'));
          },
        };
        lives.run(life, work).then(resolve, reject);
      }),
    publish:
      (publish: Publish): Publish =>
      async (...args) => {
        const life = lives.getStore();
        const kill = life?.isDead ? 'before' : life && strikes();
        if (kill === 'before') life?.die();
        if (life?.isDead) return never;
        await publish(...args);
        if (kill === 'after') life?.die();
        if (life?.isDead) return never;
      },
  };
}
