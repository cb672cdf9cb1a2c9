import { join } from 'node:path';
import type { Bench } from './bench.ts';
import { type Ran, run } from './children.ts';
import type { Task } from './pipe.ts';

/** Copies a folder of the study with `pipe.ts`. Its time is its own, without the start of Node. */
export async function barePipe(
  { study, proxy }: Bench,
  { folder, bucket, byProxy = false }: { folder: string; bucket: string; byProxy?: boolean },
): Promise<Ran> {
  const { origin } = study.lab.cloud;
  const task: Task = {
    drive: byProxy && proxy ? proxy.origin : origin,
    storage: origin,
    folder: await study.idOf(folder),
    bucket,
  };
  const args = ['--disable-warning=ExperimentalWarning', join(import.meta.dirname, 'pipe.ts')];
  const ran = await run(process.execPath, [...args, JSON.stringify(task)], {
    ...process.env,
    ...(proxy ? { NODE_EXTRA_CA_CERTS: proxy.certificate } : {}),
  });
  return { ...ran, seconds: Number(ran.output) / 1000 };
}
