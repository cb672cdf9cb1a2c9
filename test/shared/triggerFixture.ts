import * as z from 'zod';
import { NotYet } from '../../shared/once.ts';
import { onClock, onMessage, onObject, onRequest, register } from '../../shared/trigger.ts';
import { Unprocessable } from '../../shared/unprocessable.ts';

/** What `trigger.test.ts` has the functions framework serve: one function of each kind; it logs what it was given. */
register({
  message: onMessage({ topic: 'said' }, z.object({ say: z.string() }), async ({ say }, { id, log }) => {
    if (say === 'fail') throw new Error('the handler failed with secret-detail-42');
    if (say === 'later') throw new NotYet('it is too early');
    if (say === 'never') throw new Unprocessable('this can never work');
    log.info('worked', { id, input: say.slice(0, 100), length: say.length });
  }),
  object: onObject({ bucket: 'raw', topic: 'raw-object' }, async (input, { id, log }) =>
    log.info('worked', { id, input }),
  ),
  clock: onClock({ schedule: '* * * * *', topic: 'ticks' }, async ({ time }, { id, log }) =>
    log.info('worked', { id, input: time }),
  ),
  request: onRequest(
    { access: 'public' },
    z.object({ method: z.string(), path: z.string(), body: z.string().max(100).optional() }),
    async (input, { log }) => {
      if (input.path === '/fail') throw new Error('the handler failed with secret-detail-42');
      log.info('worked', { input });
      return { status: 200, body: input };
    },
  ),
});
