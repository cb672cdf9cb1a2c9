import pc from 'picocolors';
import { clean } from '../../shared/clean.ts';
import { sizeOf } from '../../shared/sizeOf.ts';
import type { LogEntry } from './host/host.ts';

type Line = { mark: string; verb: string; object: string; more: string };

/** What a person wants to see of a function's log entry: one line for each step of a file, and whatever went wrong. */
export function lineOf(entry: LogEntry, time = new Date()): string | undefined {
  const line = stepOf(entry) ?? jobOf(entry) ?? troubleOf(entry);
  if (!line) return undefined;
  const { mark, verb, object, more } = line;
  return [pc.dim(time.toTimeString().slice(0, 8)), mark, verb.padEnd(11), clean(object), pc.dim(clean(more))]
    .filter(Boolean)
    .join(' ');
}

function stepOf({ message, object, ...fields }: LogEntry): Line | undefined {
  if (typeof object !== 'string') return undefined;
  const step = (verb: string, more = '') => ({ mark: pc.green('✓'), verb, object, more });
  switch (message) {
    case 'synced':
      return step('synced', sizeOf(Number(fields.bytes)));
    case 'renamed':
      return step('renamed', `was ${fields.from}`);
    case 'removed':
      return step('removed', 'the bucket keeps its versions');
    case 'skipped':
      return { mark: pc.yellow('–'), verb: 'skipped', object, more: String(fields.reason) };
    case 'held':
      return { mark: pc.yellow('…'), verb: 'kept', object, more: String(fields.reason) };
    case 'handed on':
      return step('on its way', 'a large file; another invocation goes on');
    case 'exported':
      return step('exported', sizeOf(Number(fields.bytes)));
    case 'exported beside':
      return {
        mark: pc.yellow('–'),
        verb: 'exported',
        object,
        more: `as ${fields.as}: ${fields.reason}`,
      };
    case 'not exported':
      return { mark: pc.red('✗'), verb: 'not exported', object, more: String(fields.reason) };
    case 'annotated':
      return step(
        'annotated',
        `${countsOf(fields.areas)}${fields.reused ? '; known content, not paid again' : ''}`,
      );
    case 'not annotated':
      return step('left alone', String(fields.because));
    case 'settings':
      return step('settings', `for ${fields.objects} objects that are there already`);
    case 'waits for tomorrow':
      return { mark: pc.yellow('…'), verb: 'waits', object, more: String(fields.reason) };
    case 'arrived':
      return ['image', 'text', 'job'].includes(String(fields.kind))
        ? undefined
        : step('arrived', kinds[String(fields.kind)]);
    default:
      return undefined;
  }
}

/** What becomes of a job, by its id. */
function jobOf({ message, job, ...fields }: LogEntry): Line | undefined {
  if (typeof job !== 'string') return undefined;
  const step = (verb: string, more: string) => ({ mark: pc.green('✓'), verb, object: job, more });
  switch (message) {
    case 'job from a file':
      return step('job', `from ${fields.object}; npx gazeline job logs ${job} -f`);
    case 'machine':
      return step(
        'machine',
        `attempt ${fields.attempt}: ${fields.machineType}, ${fields.model}, in ${fields.zone}`,
      );
    case 'waits for capacity':
      return { mark: pc.yellow('…'), verb: 'waits', object: job, more: String(fields.reason) };
    case 'job over': {
      const mark = fields.state === 'succeeded' ? pc.green('✓') : pc.red('✗');
      return { mark, verb: String(fields.state), object: job, more: String(fields.reason ?? '') };
    }
    case 'no machine':
      // Of one zone: the next one is asked.
      if (fields.state === undefined) return undefined;
      return { mark: pc.red('✗'), verb: String(fields.state), object: job, more: String(fields.reason) };
    default:
      return undefined;
  }
}

const kinds: Record<string, string> = {
  recording: 'a recording; nothing is computed from it yet',
  pdf: 'a PDF; it is kept and not annotated',
  other: 'kept and not annotated',
};

function troubleOf({ message, severity, ...fields }: LogEntry): Line | undefined {
  if (message === 'unprocessable') {
    return {
      mark: pc.red('✗'),
      verb: 'refused',
      // A job may be wrong in several ways, a line each.
      object: String(fields.reason).replaceAll('\n', '; '),
      more: `by ${fields.function}`,
    };
  }
  if (severity !== 'ERROR' && severity !== 'WARNING' && severity !== undefined) return undefined;
  const why = String(fields.stack_trace ?? '').split('\n')[0] ?? '';
  const mark = severity === 'ERROR' ? pc.red('!') : pc.yellow('!');
  return { mark, verb: String(fields.function ?? 'functions'), object: message, more: why };
}

/** `64 words, 3 objects, 1 face` */
function countsOf(areas: unknown): string {
  const counts = Object.entries(areas ?? {}).flatMap(([kind, count]) => {
    const plural = plurals[kind];
    return plural ? [`${count} ${count === 1 ? kind : plural}`] : [];
  });
  return counts.join(', ') || 'nothing found';
}

const plurals: Record<string, string> = {
  word: 'words',
  object: 'objects',
  face: 'faces',
  entity: 'entities',
  logo: 'logos',
  landmark: 'landmarks',
  problem: 'problems',
};
