/** What people are told of idle machines, on the topic `guard-notices`. */
export type IdleNotice = {
  project: string;
  kind: 'idle-warning' | 'idle-done';
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
  const lines = machines
    .slice(0, shown)
    .map(({ what, why, stopAt, outcome }) =>
      kind === 'idle-warning'
        ? `${what} is idle (${why}) and is stopped at ${stopAt}`
        : `${what}: ${outcome} (${why})`,
    );
  const more = machines.length > shown ? [`and ${machines.length - shown} more`] : [];
  const help =
    kind === 'idle-warning'
      ? ' To keep a machine, use it, or label it gazeline-protect-until with a day, or gazeline-stop-at with a later time.'
      : ' Its disks are kept; it can be started again.';
  return {
    project,
    kind,
    words: `Idle machines of ${project}: ${[...lines, ...more].join('; ')}.${help}`,
    at,
    machines,
  };
}
