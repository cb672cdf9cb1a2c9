import { expect, test } from '@jest/globals';
import { readStopLabel, stopLabelValue } from '../../../../shared/machines/idle/stopLabel.ts';

test('the label says when a machine is stopped, to the minute, and never too early', () => {
  const at = Date.parse('2026-12-24T18:14:00.001Z');
  expect(stopLabelValue(at)).toBe('2026-12-24t1815z');
  expect(readStopLabel('2026-12-24t1815z')).toBe(Date.parse('2026-12-24T18:15:00Z'));
  expect(readStopLabel(stopLabelValue(Date.parse('2026-12-31T23:59:30Z')))).toBe(
    Date.parse('2027-01-01T00:00:00Z'),
  );
});

test('what is not such a time is none', () => {
  for (const value of [undefined, '', 'tomorrow', '2026-12-24', '2026-13-40t9999z'])
    expect(readStopLabel(value)).toBeUndefined();
});
