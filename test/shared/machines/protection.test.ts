import { expect, test } from '@jest/globals';
import { protectionOf } from '../../../shared/machines/protection.ts';

const now = Date.parse('2026-11-20T12:00:00Z');
const of = (labels: Record<string, string>) => protectionOf({ labels }, now);

test('19. protection: by the exact label, with an end date or without, and by deletion protection', () => {
  expect(of({})).toBeUndefined();
  expect(of({ 'gazeline-protect': '' })).toBe('it is labelled gazeline-protect');
  expect(of({ 'gazeline-protect': 'yes' })).toBe('it is labelled gazeline-protect');
  expect(of({ 'gazeline-protect': 'false' })).toBeUndefined();
  expect(of({ 'gazeline-protected': 'yes', protect: 'yes' })).toBeUndefined();
  expect(of({ 'gazeline-protect-until': '2026-12-24' })).toBe('it is protected until 2026-12-24');
  expect(protectionOf({ labels: {}, deletionProtection: true }, now)).toBe(
    'it is protected against deletion',
  );
});

test('19. protection: it ends when the day has ended everywhere, and not before', () => {
  const until = (time: string) =>
    protectionOf(
      { labels: { 'gazeline-protect': 'yes', 'gazeline-protect-until': '2026-11-20' } },
      Date.parse(time),
    );
  expect(until('2026-11-21T11:59:59Z')).toBe('it is protected until 2026-11-20');
  expect(until('2026-11-21T12:00:00Z')).toBeUndefined();
});

test('19. protection: what cannot be read protects', () => {
  for (const value of ['christmas', '2026-13-40', ''])
    expect(of({ 'gazeline-protect-until': value })).toBe(
      `its label gazeline-protect-until is “${value}”, which is not a day`,
    );
});
