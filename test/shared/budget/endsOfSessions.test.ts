import { expect, test } from '@jest/globals';
import { withEndsOfSessions } from '../../../shared/budget/endsOfSessions.ts';
import type { Running } from '../../../shared/budget/running.ts';
import { BadRecord, type Records } from '../../../shared/storage/records.ts';
import { rememberLog } from '../../kit.ts';

const machine = (session: string): Running => ({
  ...{ key: session, kind: 'machine', zone: 'europe-west4-a', name: `session-${session}` },
  ...{ words: 'e2-standard-4', labels: { 'gazeline-session': session }, perHour: 1 },
  from: '2030-01-01T00:00:00Z',
});

test('a session whose record is broken, or of another zone, costs as any machine does', async () => {
  const log = rememberLog();
  const read = async (name: string) => {
    if (name.includes('broken')) throw new BadRecord('no time');
    const candidate = { zone: 'us-central1-a' };
    return { value: { state: 'running', candidate, endsAt: '2030-01-01T08:00:00Z' }, generation: '1' };
  };
  const running = [machine('broken'), machine('elsewhere')];
  expect(await withEndsOfSessions(running, { records: { read } as unknown as Records, log })).toEqual(
    running,
  );
  expect(JSON.stringify(log.entries)).toContain('broken');
});

test('without an answer nothing is told of what a session will cost: the look is made again', async () => {
  const read = async () => {
    throw new Error('503');
  };
  const asked = withEndsOfSessions([machine('a')], {
    records: { read } as unknown as Records,
    log: rememberLog(),
  });
  await expect(asked).rejects.toThrow('503');
});
