import { invalidField } from '../monitoringError.ts';

/** The numbers of one period, or of one moment, become one: what aligners and reducers have in common. */
const combinations: { [name: string]: (numbers: number[]) => number } = {
  MEAN: mean,
  MIN: (numbers) => Math.min(...numbers),
  MAX: (numbers) => Math.max(...numbers),
  SUM: sum,
  COUNT: (numbers) => numbers.length,
  STDDEV: (numbers) => Math.sqrt(mean(numbers.map((one) => (one - mean(numbers)) ** 2))),
};

export const isCombination = (name: string): boolean => Object.hasOwn(combinations, name);

/** @throws 400 */
export function combine(field: string, name: string, numbers: number[]): number {
  const combination = combinations[name];
  if (!combination) throw invalidField(field, name, 'It is not known.');
  return combination(numbers);
}

function sum(numbers: number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}

function mean(numbers: number[]): number {
  return sum(numbers) / numbers.length;
}

/** What a combination of values of this type is. */
export function typeOf(name: string, valueType: 'BOOL' | 'INT64' | 'DOUBLE' | 'STRING') {
  if (name === 'COUNT') return 'INT64';
  return name === 'MEAN' || name === 'STDDEV' ? 'DOUBLE' : valueType;
}
