import pc from 'picocolors';
import type { State } from '../../shared/jobs/jobRecord.ts';

const looks: { [state in State]: [mark: string, colour: (text: string) => string] } = {
  queued: ['…', pc.dim],
  placing: ['…', pc.cyan],
  'waiting-for-capacity': ['…', pc.yellow],
  starting: ['▸', pc.cyan],
  running: ['▸', pc.cyan],
  uploading: ['▸', pc.cyan],
  succeeded: ['✓', pc.green],
  failed: ['✗', pc.red],
  cancelled: ['–', pc.dim],
  lost: ['✗', pc.red],
  refused: ['✗', pc.red],
};

/** @param width of the column that it stands in */
export function stateWords(state: State, width = 0): string {
  const [mark, colour] = looks[state];
  return colour(`${mark} ${state}`.padEnd(width));
}
