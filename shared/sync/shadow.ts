import type { Bucket } from '@google-cloud/storage';
import type { FileChanged } from '../drive/fileChanged.ts';
import { type FileRecord, fileRecordName } from '../drive/fileRecord.ts';
import type { PlanDependencies, Planned } from '../drive/planFile.ts';
import { type LiveObject, type RawObject, resourceOf } from '../storage/rawObject.ts';
import type { Records } from '../storage/records.ts';

/** The bucket and the records as they would be after what is planned so far. */
export type Shadow = Pick<PlanDependencies, 'raw' | 'records'> & {
  /** @returns the objects that are retired by it: what was replaced meanwhile is not */
  apply(fileId: string, planned: Planned): RawObject[];
  /** A removal is held. */
  hold(fileId: string, planned: Planned, because: string): void;
  /** Did anything happen to one of these names since `mark`? */
  isChanged(names: string[], mark: number): boolean;
  mark(): number;
};

type There = { object: LiveObject | undefined; at: number };

/**
 * What `file-sync` does for one file decides what it finds when it comes to the next: a name is free, or taken. A dry
 * run plans on this, as a real one does on the real thing. It keeps a few words for each name that changes.
 */
export function createShadow(real: Pick<PlanDependencies, 'raw' | 'records'>): Shadow {
  const objects = new Map<string, There>();
  const records = new Map<string, FileRecord | undefined>();
  let clock = 0;

  const put = (name: string, object: LiveObject | undefined) => {
    objects.set(name, { object, at: ++clock });
    return object;
  };
  const retire = (object: RawObject): boolean => {
    const there = objects.get(object.name);
    if (there && there.object?.generation !== object.generation) return false;
    put(object.name, undefined);
    return true;
  };

  return {
    raw: new Proxy(real.raw, {
      get: (bucket, key) => (key === 'file' ? fileIn(bucket) : Reflect.get(bucket, key)),
    }),
    records: {
      ...real.records,
      async read(name, schema) {
        if (!records.has(name)) return real.records.read(name, schema);
        const record = records.get(name);
        return record && { value: schema.parse(record), generation: '0' };
      },
    } satisfies Records,
    mark: () => clock,
    isChanged: (names, mark) => names.some((name) => (objects.get(name)?.at ?? 0) > mark),
    hold(fileId, { plan, known }, because) {
      if (plan.do !== 'retire') return;
      const { path, objects } = plan;
      records.set(fileRecordName(fileId), {
        isFolder: false,
        ...known?.value,
        path,
        objects,
        attention: because,
        asks: true,
      });
    },
    apply(fileId, { plan, known, file }) {
      if (plan.do === 'retire') {
        const gone = plan.objects.filter(retire);
        const versions = plan.objects.map((object) => ({ ...object, noncurrent: true as const }));
        const record = known && { ...known.value, objects: versions, attention: undefined };
        records.set(fileRecordName(fileId), plan.isGone ? undefined : record);
        return gone;
      }
      if (plan.do !== 'bring') return [];
      const brought = plan.steps.map(({ target, action, from, displaces }) => {
        if (displaces) put(displaces.to, { ...displaces.object, name: displaces.to });
        if (action === 'keep' && from) return from;
        const { name, md5 = from?.md5 ?? '', contentType, metadata } = target;
        const size = Number(file?.size ?? 0);
        const generation = action === 'describe' && from ? from.generation : `planned ${++clock}`;
        const object = { name, generation, md5, size, contentType, mtime: metadata.mtime ?? '' };
        put(name, { ...object, metadata: { 'drive-file-id': fileId, mtime: object.mtime } });
        return object;
      });
      records.set(fileRecordName(fileId), { path: plan.path, isFolder: false, objects: brought });
      return plan.retire.filter(retire);
    },
  };

  function fileIn(bucket: Bucket) {
    return (name: string, options: { generation?: string } = {}) => {
      const { generation } = options;
      const there = objects.get(name);
      if (!there || (generation !== undefined && !generation.startsWith('planned')))
        return bucket.file(name, options);
      const isThere = there.object && (generation ?? there.object.generation) === there.object.generation;
      return {
        async getMetadata() {
          if (!there.object || !isThere)
            throw Object.assign(new Error('not there in the plan'), { code: 404 });
          const { object } = there;
          return [{ ...resourceOf(object), name, generation: object.generation, size: object.size }];
        },
      };
    };
  }
}

/** The names that a plan depends on. */
export function namesOf({ plan }: Planned): string[] {
  if (plan.do === 'retire') return plan.objects.map(({ name }) => name);
  if (plan.do !== 'bring') return [];
  return plan.steps.flatMap(({ target, from, displaces }) => [
    target.name,
    target.twin,
    ...(from ? [from.name] : []),
    ...(displaces ? [displaces.to, displaces.object.name] : []),
  ]);
}

/** It was planned round another file's object, whose name it does not tell. */
export const mightBeOtherwise = ({ plan }: Planned): boolean =>
  plan.do === 'wait' ||
  (plan.do === 'bring' && plan.steps.some(({ target: { name, twin } }) => name === twin));

/** What follows from a plan for other files. */
export function followersOf({ plan }: Planned): Partial<FileChanged>[] {
  if (plan.do === 'wait') return plan.nudge ? [{ fileId: plan.nudge }] : [];
  if (plan.do !== 'bring') return [];
  return plan.steps.flatMap(({ displaces }) =>
    displaces ? [{ fileId: displaces.fileId, object: displaces.to }] : [],
  );
}
