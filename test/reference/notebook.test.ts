import { expect, jest, test } from '@jest/globals';
import { makeRepository, runMachine, useMachines } from '../deploy/google/machine/runMachine.ts';

// papermill and a kernel are installed by pip, as on a machine.
jest.setTimeout(600_000);
const { cloud } = useMachines();

const notebook = (...sources: string[]) =>
  JSON.stringify({
    // The kernel of whoever wrote it, which is nowhere else.
    metadata: { kernelspec: { name: 'lab-gpu', display_name: 'Lab', language: 'python' } },
    nbformat: 4,
    nbformat_minor: 5,
    cells: sources.map((source, at) => ({
      id: `cell-${at}`,
      cell_type: 'code',
      metadata: at === 0 ? { tags: ['parameters'] } : {},
      execution_count: null,
      outputs: [],
      source,
    })),
  });

test('a notebook runs with its parameters, and its executed copy is a result, also if it fails', async () => {
  const { url, commit } = await makeRepository({
    'requirements.txt': 'papermill\nipykernel\n',
    'notebooks/train.ipynb': notebook(
      'rate = 1.0\nfail = False',
      'import os\nopen(os.environ["GAZELINE_RESULTS"] + "/rate.txt", "w").write(str(rate))\nprint("rate is", rate)',
      'if fail: raise ValueError("no such thing")',
    ),
  });
  const attributes = (job: string, parameters: object) => ({
    'gazeline-job': job,
    'gazeline-repository': url,
    'gazeline-commit': commit,
    'gazeline-run': 'notebook',
    'gazeline-target': 'notebooks/train.ipynb',
    'gazeline-environment': 'pip',
    'gazeline-parameters': JSON.stringify(parameters),
    'gazeline-results': 'out',
  });
  const good = await runMachine({ cloud, attributes: attributes('good', { rate: 0.25 }) });
  expect(good.last).toMatchObject({ outcome: 'succeeded', results: { files: 2 } });
  expect(good.objects.get('results/rate.txt')).toBe('0.25');
  expect(good.objects.get('results/train.executed.ipynb')).toContain('rate is 0.25');
  expect(good.log).toContain('rate is 0.25');

  // In the same folder, which has its venv already: a second installation would show nothing new.
  const bad = await runMachine({
    cloud,
    attributes: attributes('bad', { fail: true }),
    environment: { GAZELINE_WORK: good.work },
  });
  expect(bad.last).toMatchObject({ outcome: 'failed', exitCode: 1 });
  expect(bad.objects.get('results/train.executed.ipynb')).toContain('no such thing');
  expect(bad.objects.has('results/manifest.json')).toBe(false);
});
