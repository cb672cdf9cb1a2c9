/** What people are told of idle machines, on the topic `guard-notices`. */
export type IdleNotice = {
  project: string;
  kind: 'idle-warning' | 'idle-done' | 'tpu-unwatched';
  words: string;
  at: string;
  machines: { what: string; why: string; stopAt?: string; outcome?: string }[];
};

const shown = 5;

export function idleNotice(
  kind: IdleNotice['kind'],
  machines: IdleNotice['machines'],
  { project, at }: { project: string; at: string },
): IdleNotice {
  const lines = machines.slice(0, shown).map((machine) => lineOf(kind, machine));
  const more = machines.length > shown ? [`and ${machines.length - shown} more`] : [];
  const what = kind === 'tpu-unwatched' ? 'TPUs' : 'Idle machines';
  return {
    project,
    kind,
    words: `${what} of ${project}: ${[...lines, ...more].join('; ')}. ${help[kind]}`,
    at,
    machines,
  };
}

const help: { [kind in IdleNotice['kind']]: string } = {
  'idle-warning':
    'To keep a machine, use it, or label it gazeline-protect-until with a day, or gazeline-stop-at with a later time.',
  'idle-done': 'Its disks are kept; it can be started again.',
  'tpu-unwatched':
    'Nobody can see from outside whether a TPU is in use, so none is stopped. Delete it if it is not needed ' +
    '(gcloud compute tpus tpu-vm delete), or label it gazeline-protect-until with a day to hear no more of it.',
};

function lineOf(
  kind: IdleNotice['kind'],
  { what, why, stopAt, outcome }: IdleNotice['machines'][number],
): string {
  if (kind === 'idle-warning') return `${what} is idle (${why}) and is stopped at ${stopAt}`;
  return kind === 'idle-done' ? `${what}: ${outcome} (${why})` : `${what} (${why})`;
}
