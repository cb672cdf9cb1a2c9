import { expect, test } from '@jest/globals';
import { exportEach, keepOnly } from '../../../deploy/package/keepOnly.ts';

const map = `import { on } from './on.ts';
/** Every function. */
export const functions = {
  'drive-tick': on({ at: '*/5 * * * *' }, async () => ({ a: { b: 1 } })),

  // A comment with a } in it.
  annotate: on<In>({ at: '}' }, async (one) => annotate(one)),
};
const later = functions;
`;

test('of a map one entry is left, whatever is written in the others', () => {
  expect(keepOnly(map, 'functions', 'annotate')).toBe(`import { on } from './on.ts';
/** Every function. */
export const functions = {
  annotate: on<In>({ at: '}' }, async (one) => annotate(one)),
};
const later = functions;
`);
  expect(keepOnly(map, 'functions', 'drive-tick')).not.toContain('annotate');
});

test('an entry that is not there is an error, and so is a map of another form', () => {
  expect(() => keepOnly(map, 'functions', 'reduce')).toThrow('functions has no reduce');
  expect(() => keepOnly(map, 'clients', 'drive')).toThrow('there is no "export const clients = { … }"');
  expect(() => keepOnly('export const functions = { ...others };', 'functions', 'a')).toThrow('spread');
});

test('each property becomes a variable, and a method a function', () => {
  const source = `export const clients = {
  /** One. */
  drive: lazy(() => open({ of: 'drive' })),
  async annotator(service: string): Promise<string> {
    return clients.drive(service);
  },
};`;
  expect(exportEach(source, 'clients')).toBe(`export const drive = lazy(() => open({ of: 'drive' }));
export async function annotator(service: string): Promise<string> {
    return clients.drive(service);
  }`);
});
