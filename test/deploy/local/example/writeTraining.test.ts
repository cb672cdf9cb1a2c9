import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { writeTraining } from '../../../../deploy/local/example/writeTraining.ts';
import { parseJob } from '../../../../shared/jobs/parseJob.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'training of ours '));
});
afterEach(() => rm(folder, { recursive: true }));

test('the job file names a real repository with everything committed, the same commit wherever it is', async () => {
  const commits: string[] = [];
  for (const lab of [join(folder, 'one'), join(folder, 'two')]) {
    const written = await writeTraining(lab);
    expect(written).toEqual({ jobFile: join(lab, 'train.job.yaml') });
    const job = parseJob(await readFile(join(lab, 'train.job.yaml'), 'utf8'), { allowFile: true });
    const repository = fileURLToPath(job.repository);
    expect(repository).toBe(join(lab, 'code', 'train'));
    const git = (...args: string[]) => execFileSync('git', ['-C', repository, ...args]).toString();
    expect(git('status', '--porcelain')).toBe('');
    expect(git('ls-files').split('\n')).toContain(job.script);
    commits.push(git('rev-parse', 'HEAD'));
  }
  expect(new Set(commits).size).toBe(1);
});

test('what a person has changed is left as it is', async () => {
  await writeTraining(folder);
  await writeFile(join(folder, 'train.job.yaml'), 'mine');
  await writeFile(join(folder, 'code', 'train', 'train.py'), 'mine');
  expect(await writeTraining(folder)).toEqual({ jobFile: join(folder, 'train.job.yaml') });
  expect(await readFile(join(folder, 'train.job.yaml'), 'utf8')).toBe('mine');
  expect(await readFile(join(folder, 'code', 'train', 'train.py'), 'utf8')).toBe('mine');
});

test('without git that is said, and nothing half made is left', async () => {
  const { PATH } = process.env;
  process.env.PATH = folder;
  try {
    expect(await writeTraining(folder)).toEqual({
      problem: expect.stringContaining('no git on this computer'),
    });
  } finally {
    process.env.PATH = PATH;
  }
  expect(await writeTraining(folder)).toMatchObject({ jobFile: expect.any(String) });
});

test('the training learns more than the baseline, and goes on from a checkpoint to the very same model', async () => {
  const words = 'The old keeper lit the lamp at dusk and nobody came up the stairs to him that night'.split(
    ' ',
  );
  const little = new Set(['the', 'at', 'and', 'nobody', 'up', 'to', 'him', 'that']);
  const areasOfInterest = Array.from({ length: 10 }, () => words)
    .flat()
    .map((label) => ({
      ...{ kind: 'word', label },
      about: { partOfSpeech: little.has(label.toLowerCase()) ? 'DET' : 'NOUN' },
    }));
  const annotator = { service: 'language.googleapis.com', local: false };
  const tree = join(folder, 'tree');
  await mkdir(join(tree, 'derived', 'annotations'), { recursive: true });
  await mkdir(join(tree, 'results'));
  const annotation = { kind: 'text', areasOfInterest, annotator };
  await writeFile(join(tree, 'derived', 'annotations', 'a.txt.json'), JSON.stringify(annotation));

  const script = join(import.meta.dirname, '../../../../deploy/local/example/train/train.py');
  const train = async (epochs: number, checkpoints: string) => {
    await writeFile(join(tree, 'parameters.json'), JSON.stringify({ epochs }));
    const env = {
      ...process.env,
      GAZELINE_PARAMETERS: join(tree, 'parameters.json'),
      GAZELINE_RESULTS: join(tree, 'results'),
      GAZELINE_CHECKPOINTS: join(tree, checkpoints),
    };
    const printed = execFileSync('python3', [script], { cwd: tree, env }).toString();
    return { printed, model: JSON.parse(await readFile(join(tree, 'results', 'model.json'), 'utf8')) };
  };
  const whole = await train(100, 'whole');
  expect(whole.model.heldOut.accuracy).toBeGreaterThan(whole.model.heldOut.baseline);
  expect(whole.model.annotatedBy).toEqual(['language.googleapis.com']);
  await train(50, 'halves');
  const second = await train(100, 'halves');
  expect(second.printed).toContain('goes on after epoch 50\n');
  expect(second.model).toEqual(whole.model);
});
