import type { Plan, Planned, Step } from '../drive/planFile.ts';

/** One thing that a run would do, for a person and for programs. */
export type Entry = {
  do: 'upload' | 'rename' | 'restore' | 'describe' | 'retire' | 'hold' | 'skip' | 'wait' | 'leave';
  /** The object, or, where there is none, the path of the file. */
  name: string;
  because: string;
  fileId?: string;
  /** To be brought from Drive; unknown for what is exported. */
  bytes?: number;
  /** The object that is copied under the new name; it is then retired, unless it is a version that is not live any more. */
  from?: string;
};

/** What `file-sync` would do by a plan. A removal is here as one: whether a run may do it depends on the others. */
export function entriesOf(fileId: string, { plan, file, known }: Planned): Entry[] {
  const name = (plan: { path: string[] }) => plan.path.join('/') || (file?.name ?? fileId);
  switch (plan.do) {
    // Where a folder is decides on its files, and each of them has entries of its own. What waits comes again.
    case 'nothing':
    case 'folder':
    case 'wait':
      return [];
    case 'skip':
      return [{ do: 'skip', name: name(plan), because: plan.because, fileId }];
    case 'retire':
      return plan.objects.map(({ name }) => ({ do: 'retire', name, because: plan.because, fileId }));
    case 'bring':
      return entriesOfBring(fileId, plan, Number(file?.size ?? 0), (known?.value.objects.length ?? 0) > 0);
  }
}

function entriesOfBring(
  fileId: string,
  { steps, retire }: Extract<Plan, { do: 'bring' }>,
  size: number,
  wasThere: boolean,
): Entry[] {
  const brought = steps.flatMap((step): Entry[] => {
    const { action, target, from, displaces } = step;
    const name = target.name;
    const moved: Entry[] = displaces
      ? [
          {
            do: 'rename',
            name: displaces.to,
            from: displaces.object.name,
            because: 'an older file has the same path',
            fileId: displaces.fileId,
          },
        ]
      : [];
    if (action === 'keep') return moved;
    if (action === 'describe')
      return [
        ...moved,
        { do: 'describe', name, because: 'its modification time or type has changed', fileId },
      ];
    if (action === 'copy') return [...moved, { ...copyOf(step), name, from: from?.name ?? '', fileId }];
    const bytes = target.exportTo ? {} : { bytes: size };
    return [...moved, { do: 'upload', name, because: reasonToUpload(step, wasThere), fileId, ...bytes }];
  });
  // What is retired after a copy belongs to the renaming.
  const sources = steps.flatMap(({ action, from }) => (action === 'copy' && from ? [from.name] : []));
  const retired = retire.flatMap(({ name }): Entry[] =>
    sources.includes(name)
      ? []
      : [{ do: 'retire', name, because: 'its file has another name or format now', fileId }],
  );
  return [...brought, ...retired];
}

const copyOf = ({ from }: Step): Pick<Entry, 'do' | 'because'> =>
  from?.noncurrent
    ? { do: 'restore', because: 'it is wanted again, and the bucket has kept its bytes' }
    : { do: 'rename', because: 'its name or folder has changed' };

function reasonToUpload({ from, target }: Step, wasThere: boolean): string {
  if (!from) return wasThere ? 'it is missing in the bucket' : 'it is new';
  return from.name === target.name ? 'its content has changed' : 'its name and its content have changed';
}
