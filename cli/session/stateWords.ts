import pc from 'picocolors';
import type { SessionState } from '../../shared/sessions/sessionRecord.ts';

const looks: { [state in SessionState]: [mark: string, colour: (text: string) => string] } = {
  placing: ['…', pc.cyan],
  starting: ['…', pc.cyan],
  running: ['▸', pc.green],
  stopping: ['…', pc.yellow],
  stopped: ['■', pc.dim],
  deleting: ['…', pc.yellow],
  deleted: ['–', pc.dim],
  failed: ['✗', pc.red],
  refused: ['✗', pc.red],
};

export function stateWords(state: SessionState): string {
  const [mark, colour] = looks[state];
  return colour(`${mark} ${state}`);
}
