import { join } from 'node:path';
import { python } from '../../test/notebooks/python.ts';
import { run } from '../sync/children.ts';
import { gazeline, type Puller } from './bench.ts';

const notebooks = join(import.meta.dirname, '../../notebooks');
const script = `
import sys, time
import gazeline
lab = gazeline.connect(dir=sys.argv[1])
begin = time.perf_counter()
lab.pull(sys.argv[2], sys.argv[3], progress=False)
print(time.perf_counter() - begin)
`;

/** In a process of its own, from its start to its end; how long the call took in it is told as well. */
export async function gazelinePuller(lab: string): Promise<Puller> {
  const program = await python();
  const env = { ...process.env, PYTHONPATH: notebooks, PYTHONDONTWRITEBYTECODE: '1' };
  return {
    name: gazeline,
    async pull(prefix, folder) {
      const ran = await run(program, ['-c', script, lab, prefix, folder], env);
      return { ...ran, inside: Number(ran.output) };
    },
  };
}
