import { expect, test } from '@jest/globals';
import * as z from 'zod';
import { forgetRequests, requestsAt, setFaults } from '../kit.ts';
import { useSync } from '../sync/useSync.ts';
import { gazeline, jsonLines } from './gazeline.ts';

const used = useSync();
const form = 'application/vnd.google-apps.form';
const verify = (...args: string[]) => gazeline(['sync', 'verify', ...args]);

/** One file of each class; of the earlier tests everything is identical. */
async function oneOfEach(): Promise<void> {
  const { file, edit, create, change, raw } = used.sync;
  await file(used.here, 'same.txt');
  const edited = await file(used.here, 'edited.txt');
  const trashed = await file(used.here, 'trashed.txt');
  await used.sync.settle();
  await edit(edited, 'edited');
  await change(trashed, { trashed: true });
  await file(used.here, 'new.txt');
  await create({ name: 'form', parents: [used.here], mimeType: form });
  await raw.file(`${used.prefix}stranger`).save('?', { preconditionOpts: { ifGenerationMatch: '0' } });
}

test('24. verify reports identical, missing, extra, different and error, and its exit code reflects it', async () => {
  await used.sync.file(used.here, 'same.txt');
  await used.sync.settle();
  const good = await verify();
  expect(good).toEqual({
    code: 0,
    out: '✓ The bucket is as the study folder is: 1 identical.\n',
    err: '',
  });

  await oneOfEach();
  await forgetRequests(used.cloud);
  const bad = await verify();
  expect(bad.code).toBe(1);
  expect(bad.out.split('\n').sort()).toEqual([
    '',
    'different test 0/edited.txt  its content is another one',
    'extra     test 0/stranger  it did not come from Drive, and is left alone',
    'extra     test 0/trashed.txt  no file of the study folder has this object',
    'missing   test 0/new.txt  it is not in the bucket',
    'skipped   test 0/form  a form is not exported',
    '✗ The bucket is not as the study folder is: 1 missing, 2 extra, 1 different; 2 identical, 1 skipped.',
  ]);
  const written = (await requestsAt(used.cloud, 'storage')).filter(({ method }) => method !== 'GET');
  expect(written).toEqual([]);

  await setFaults(used.cloud, { service: 'drive', kind: 'emptyList' });
  const broken = await verify();
  expect(broken.code).toBe(2);
  expect(broken.out).toMatch(/^error {5}test 0\/ {2}Drive lists nothing at all\n/);
});

test('verify --combined marks every file as rclone check does, and --json has the same a line each', async () => {
  await oneOfEach();
  const { code, out } = await verify('--combined');
  const mine = (names: string[]) => names.filter((name) => name.includes(used.prefix)).sort();
  expect(code).toBe(1);
  expect(mine(out.split('\n'))).toEqual(
    ['* edited.txt', '+ new.txt', '- stranger', '- trashed.txt', '= same.txt', '~ form'].map((line) =>
      line.replace(' ', ` ${used.prefix}`),
    ),
  );
  const lines = jsonLines((await verify('--json')).out) as { is: string; name: string }[];
  const { summary } = lines.pop() as never as { summary: object };
  expect(summary).toMatchObject({ missing: expect.any(Number), error: 0 });
  const asCombined = { different: '*', missing: '+', extra: '-', identical: '=', skipped: '~' } as Record<
    string,
    string
  >;
  expect(mine(lines.map(({ is, name }) => `${asCombined[is]} ${name}`))).toEqual(mine(out.split('\n')));
});

test('no control character of a name reaches the terminal', async () => {
  await used.sync.file(used.here, '\u001b[31mred\u0007\r\n\u202egnp.txt');
  for (const command of ['verify', 'plan']) {
    const { out } = await gazeline(['sync', command]);
    expect(out).toContain('red');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
    expect(out).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
  }
});

test('what is wrong is said in one line, with the exit code 2', async () => {
  const { records } = used.sync.dependencies;
  const expectLine = async (line: RegExp, args: string[], env: Record<string, string | undefined> = {}) => {
    const { code, out, err } = await gazeline(['sync', ...args], { env });
    expect({ args, code, out, lines: err.trimEnd().split('\n').length }).toEqual({
      args,
      code: 2,
      out: '',
      lines: 1,
    });
    expect(err).toMatch(line);
  };
  await expectLine(/^No local cloud answers at http:\/\/127\.0\.0\.1:1\./, ['status'], {
    GAZELINE_LOCAL_CLOUD: 'http://127.0.0.1:1',
  });
  await expectLine(/GAZELINE_RAW_BUCKET is not set/, ['verify'], { GAZELINE_RAW_BUCKET: '' });
  await expectLine(/^The study folder 1AbCdEfGhIjKlMnOp is not there, or not shared/, ['verify'], {
    GAZELINE_STUDY_FOLDER: '1AbCdEfGhIjKlMnOp',
  });
  await setFaults(used.cloud, {
    service: 'drive',
    kind: 'status',
    status: 403,
    reason: 'insufficientFilePermissions',
  });
  await expectLine(/^Rights are missing: /, ['verify']);
  await setFaults(used.cloud);
  const feed = await records.read('drive/feed.json', z.unknown());
  const broken = await records.write('drive/feed.json', { pageToken: 7 }, feed?.generation ?? '0');
  await expectLine(/drive\/feed\.json is not a record as expected: /, ['status']);
  await expectLine(/drive\/feed\.json is not a record as expected: /, ['now']);
  await records.write('drive/feed.json', feed?.value, broken ?? '0');
});
