import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { collectLessOften } from '../../deploy/local/collectLessOften.ts';
import { tick } from '../../deploy/local/host/provision.ts';
import { type Lab, startLab } from '../../deploy/local/lab.ts';
import { settled } from '../../deploy/local/settled.ts';
import { functions } from '../../functions/index.ts';
import { type Counts, startMeter } from './meter.ts';
import { forgetPeak, peakMemory } from './peakMemory.ts';

export type Synced = {
  /** Until the bucket holds what it should. */
  seconds: number;
  /** Until there is nothing left to do: every new object has been handed on to what comes after the sync. */
  settled: number;
  counts: Counts;
  /** Of the largest of the functions' processes, at its peak. */
  megabytes: number;
};

export type Study = {
  lab: Lab;
  /** Resolves when the Drive knows everything that lies in its folder. Gazeline does not yet: nobody told it. */
  known(): Promise<void>;
  /** The Drive id of a folder, by its path in the study. */
  idOf(path: string): Promise<string>;
  /**
   * One tick of the clock, and what comes of it.
   * @param isThere whether the bucket holds what it should; without it, the sync ends when all has settled
   */
  sync(isThere?: () => Promise<boolean>): Promise<Synced>;
  close(): Promise<void>;
};

/** Milliseconds without any movement. One large file moves nothing that is counted. */
const patience = 600_000;

/** A lab whose clocks stand still and whose Drive pushes nothing, so that a sync begins when it is told to. */
export async function openStudy(dir: string, isolate: boolean): Promise<Study> {
  collectLessOften();
  const lab = await startLab({
    dir,
    isolate,
    // The local Drive has no quota; by Google's, 10,000 new files are the work of seven minutes for anybody.
    env: { GAZELINE_DRIVE_UNITS_PER_MINUTE: '100000000' },
    onLog: ({ severity, message }) => severity !== 'INFO' && console.error(message),
  });
  const { origin, project, studyFolder } = lab.cloud;
  const ask = async <T>(path: string, init?: RequestInit): Promise<T> => {
    const response = await fetch(`${origin}${path}`, init);
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return response.json() as Promise<T>;
  };
  const pending = () => ask<Record<string, number>>('/_local/pending');
  const pids = () => Object.keys(functions).map((name) => lab.host.pidOf(name));

  const { jobs } = await ask<{ jobs: { name: string }[] }>(`/v1/projects/${project}/locations/local/jobs`);
  for (const { name } of jobs) await ask(`/v1/${name}:pause`, { method: 'POST' });
  await ask('/_local/faults', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ service: 'drive', kind: 'lostPush' }),
  });
  await settled(origin);

  async function known() {
    do await ask('/_local/drive/scan', { method: 'POST' });
    while ((await pending()).drive !== 0);
    // A drain right after another one waits a second.
    await sleep(1500);
  }

  async function sync(isThere?: () => Promise<boolean>): Promise<Synced> {
    for (const pid of pids()) if (pid !== undefined) await forgetPeak(pid);
    const meter = startMeter();
    const start = performance.now();
    try {
      const { result, megabytes } = await peakMemory(pids, followed(start, isThere), 500);
      return { ...result, counts: meter.stop(), megabytes };
    } finally {
      meter.stop();
    }
  }

  async function followed(start: number, isThere?: () => Promise<boolean>) {
    await tick('drive-tick');
    let held: number | undefined;
    for (let last = '', moved = start; ; ) {
      const begin = performance.now();
      if (held === undefined && (await isThere?.())) held = performance.now();
      const left = await pending();
      const now = performance.now();
      if (Object.values(left).every((count) => count === 0)) {
        if (isThere && !(await isThere()))
          throw new Error('Nothing is left to be done, and the bucket does not hold what it should');
        return { seconds: ((held ?? now) - start) / 1000, settled: (now - start) / 1000 };
      }
      if (JSON.stringify(left) !== last) moved = now;
      last = JSON.stringify(left);
      if (now - moved > patience) throw new Error(`Nothing moves any more, and this is left: ${last}`);
      // Looking must not be what takes the time; nor may what is measured be coarser than a hundredth.
      await sleep(Math.max(10, Math.min(20 * (now - begin), (now - start) / 100)));
    }
  }

  async function idOf(path: string): Promise<string> {
    let id = studyFolder;
    for (const name of path.split('/')) {
      const query = new URLSearchParams({ q: `'${id}' in parents and name = '${name}'` });
      const { files } = await ask<{ files: { id: string }[] }>(`/drive/v3/files?${query}`);
      if (!files[0]) throw new Error(`The Drive has no ${path}`);
      id = files[0].id;
    }
    return id;
  }

  return { lab, known, idOf, sync, close: () => lab.close() };
}

/** How many objects a folder of a bucket shows on disk: looking there is no request. */
export async function shown(dir: string, bucket: string, folder: string): Promise<number> {
  return (await readdir(join(dir, 'buckets', bucket, folder)).catch(() => [])).length;
}
