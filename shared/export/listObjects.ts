import type { Bucket } from '@google-cloud/storage';
import { NotYet } from '../once.ts';
import type { Publish } from '../publish.ts';
import { pagesOf } from '../storage/pagesOf.ts';
import type { Records } from '../storage/records.ts';
import { ExportPage, ExportRun, exportName, pageName } from './exportRun.ts';
import { endIfOver } from './noteOutcome.ts';
import { publishExport } from './requestExport.ts';

export type ListObjectsDependencies = {
  derived: Bucket;
  records: Records;
  publish: Publish;
  now: () => number;
  /** When this invocation should hand the work on; milliseconds since 1970. */
  deadline: number;
  /** Objects that share a record. */
  pageSize: number;
};

/**
 * Asks for every object of an export, page by page. A page is written down, then its messages are published, then the
 * export knows of it: whoever comes after a crash, or lists at the same time, does the same page again with the same
 * objects in it.
 */
export async function listObjects(run: ExportRun, dependencies: ListObjectsDependencies): Promise<void> {
  const { records, publish, now, deadline, pageSize } = dependencies;
  let current = run;
  let page: ExportPage['objects'] = [];
  for await (const objects of objectsOf(run, dependencies)) {
    for (const object of objects) {
      page.push(object);
      if (page.length < pageSize) continue;
      current = await ask(page);
      page = [];
      if (current.state !== 'listing') return;
      if (now() >= deadline) return publishExport(publish, { export: run.id });
    }
  }
  if (page.length > 0) current = await ask(page);
  await records.update(exportName(run.id), ExportRun, (before): ExportRun | undefined => {
    if (before?.state !== 'listing' || before.pages !== current.pages) return undefined;
    if (before.objects === 0)
      return {
        ...{ ...before, state: 'failed', endedAt: new Date(now()).toISOString() },
        reason: `No object of the derived bucket begins with “${before.prefix}”.`,
      };
    return endIfOver({ ...before, state: 'running' }, now);
  });

  async function ask(objects: ExportPage['objects']): Promise<ExportRun> {
    const number = current.pages;
    const wanted = await records.update(
      pageName(run.id, number),
      ExportPage,
      (before): ExportPage | undefined => (before ? undefined : { objects, outcomes: {} }),
    );
    const { objects: asked } = wanted as ExportPage;
    // What another invocation listed there may end elsewhere; then this one's list does not go on from it.
    const isOther = asked.at(-1)?.name !== objects.at(-1)?.name;
    await publishExport(
      publish,
      ...asked.map(({ name }) => ({ export: run.id, object: { page: number, name } })),
    );
    const bytes = asked.reduce((sum, { size }) => sum + size, 0);
    const after = (await records.update(exportName(run.id), ExportRun, (before): ExportRun | undefined => {
      if (before?.state !== 'listing' || before.pages !== number) return undefined;
      return {
        ...before,
        pages: number + 1,
        objects: before.objects + asked.length,
        bytes: before.bytes + bytes,
        listedUpTo: asked.at(-1)?.name,
      };
    })) as ExportRun;
    const isBehind = after.listedUpTo !== asked.at(-1)?.name || after.pages !== number + 1;
    if (after.state === 'listing' && (isOther || isBehind))
      throw new NotYet(`${run.id} is being listed elsewhere as well`);
    return after;
  }
}

async function* objectsOf(
  { prefix, listedUpTo }: ExportRun,
  { derived }: ListObjectsDependencies,
): AsyncIterable<ExportPage['objects']> {
  // One that is called just so is meant alone.
  const isAlone = !prefix.endsWith('/') && (await derived.file(prefix).exists())[0];
  for await (const { files } of pagesOf(derived, prefix, listedUpTo ? { startOffset: listedUpTo } : {})) {
    const objects = files.map(({ name, metadata }) => ({ name, size: Number(metadata.size) }));
    yield objects.filter(({ name }) => name !== listedUpTo && (!isAlone || name === prefix));
    if (isAlone) return;
  }
}
