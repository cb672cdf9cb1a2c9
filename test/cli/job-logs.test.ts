import { expect, test } from '@jest/globals';
import { jsonLines } from './gazeline.ts';
import { at, inserted, place, released, report, useJobs } from './useJobs.ts';

const used = useJobs();
const job = (name: string) => `{name: ${name}, repository: "https://h/r", command: make}`;
const piece = (id: string, attempt: number, sequence: number, content: string | Buffer) =>
  used.write(`jobs/${id}/attempts/${attempt}/log/${String(sequence).padStart(6, '0')}.txt`, content);

test('logs prints the pieces of all attempts in order, whole lines without colours', async () => {
  const { id } = await used.job(job('Pieces'), place(1), inserted(1, 2));
  await used.happens(
    id,
    report(id, 1, 1, 3, { phase: 'finished', outcome: 'preempted' }),
    released(1, 4),
    place(5),
    inserted(2, 6),
  );
  const flower = Buffer.from('🌻');
  await piece(id, 1, 1, '\u001b[1;31mfirst\u001b[0m\tline\nsecond ');
  await piece(id, 1, 2, Buffer.concat([Buffer.from('half '), flower.subarray(0, 2)]));
  await piece(id, 1, 3, Buffer.concat([flower.subarray(2), Buffer.from('\n10 %\r100 %\r\n\nno end')]));
  await piece(id, 2, 1, 'of the second\u009b2J\n');
  await used.write(`jobs/${id}/attempts/1/log/notes.md`, 'not a piece\n');

  const [all, one, json, other] = await Promise.all([
    used.run(['logs', id]),
    used.run(['logs', id, '--attempt', '2']),
    used.run(['logs', id, '--json']),
    used.run(['logs', id, '--attempt', '3']),
  ]);
  expect(all).toEqual({
    code: 0,
    err: '',
    out: 'first\tline\nsecond half 🌻\n100 %\n\nno end\nof the second\n',
  });
  expect(one).toMatchObject({ code: 0, out: 'of the second\n' });
  expect(jsonLines(json.out).at(-1)).toEqual({ attempt: 2, line: 'of the second' });
  expect(other).toMatchObject({ code: 2, err: `${id} has no attempt 3; it has 2.\n` });
});

test('logs -f prints what comes until the job is over, and ends with 0 only if it succeeded', async () => {
  const [good, bad] = await Promise.all(
    ['Good', 'Bad'].map((name) => used.job(job(name), place(1), inserted(1, 2))),
  );
  const followed = async (id: string, outcome: 'succeeded' | 'failed') => {
    await piece(id, 1, 1, 'begins\n');
    let gone: Promise<unknown> | undefined;
    const end = async () => {
      await piece(id, 1, 2, 'ends\n');
      await used.happens(
        id,
        report(id, 1, 1, 60, { phase: 'finished', outcome, exitCode: 3 }),
        released(1, 61),
      );
    };
    const onOutput = (out: string) => {
      if (out.includes('begins')) gone ??= end();
    };
    const ran = await used.run(['logs', id, '-f'], { onOutput });
    await gone;
    return ran;
  };
  const [first, second] = await Promise.all([
    followed(good?.id ?? '', 'succeeded'),
    followed(bad?.id ?? '', 'failed'),
  ]);
  expect(first).toMatchObject({ code: 0, out: 'begins\nends\n' });
  expect(first.err).toMatch(
    /… queued\n.*… placing\n.*▸ starting .*\n.*✓ succeeded.*\n✓ succeeded {2}cost: \$0\.\d+\n$/,
  );
  expect(second).toMatchObject({ code: 1, out: 'begins\nends\n' });
  expect(second.err).toMatch(/✗ failed it ended with exit code 3\n/);
});

test('after Ctrl-C the job goes on; without a log that is said', async () => {
  const { id } = await used.job(job('Waits'), place(1), {
    ...{ at: at(2), type: 'wait', attempt: 1, retryAt: at(99), reason: 'no machine in any of 3 zones now' },
  });
  const interrupted = await used.run(['logs', id, '-f'], { interruptAt: 'any of 3 zones' });
  expect(interrupted).toMatchObject({ code: 130, out: '', err: expect.stringContaining('the job goes on') });
  expect(interrupted.err).toMatch(/… waiting-for-capacity no machine in any of 3 zones now\n/);
  expect(await used.run(['logs', id])).toEqual({
    ...{ code: 0, out: '', err: 'There is no log yet: the job is waiting-for-capacity.\n' },
  });
});
