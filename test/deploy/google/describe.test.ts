import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { describe, descriptionFile, written } from '../../../deploy/google/describe.ts';

const { functions, topics } = describe();

test('what Terraform reads is what the map of functions says; if not: node deploy/google/describe.ts', () => {
  expect(readFileSync(descriptionFile, 'utf8')).toBe(written());
});

test('whatever is published to has a topic, and whoever is called by it reads it', () => {
  const read = Object.values(functions).flatMap(({ trigger: { topic } }) => (topic ? [topic] : []));
  const published = Object.values(functions).flatMap(({ publishes }) => publishes);
  expect(published.filter((topic) => ![...read, ...topics].includes(topic))).toEqual([]);
});

test.each(Object.entries(functions))('%s has names and sizes that Google takes', (name, described) => {
  // https://cloud.google.com/iam/docs/service-accounts-create#creating
  expect(`gazeline-${name}`).toMatch(/^[a-z](?:[-a-z0-9]{4,28}[a-z0-9])$/);
  for (const on of Object.keys(described.grants))
    expect(`gazeline.${name.replaceAll('-', '_')}.${on}`).toMatch(/^[a-zA-Z0-9_.]{3,64}$/);
  // https://cloud.google.com/pubsub/docs/push: an answer is waited for as long as the deadline says, which has its bounds.
  const { kind, ackDeadline } = described.trigger;
  if (kind !== 'http')
    expect([10, 600]).toEqual([Math.min(10, ackDeadline ?? 0), Math.max(600, ackDeadline ?? 0)]);
  expect(described.timeout).toBeLessThanOrEqual(3600);
});

test('all instances together stay below what Drive gives one user a minute', () => {
  const units = Object.values(functions).map(
    ({ instances, environment: { GAZELINE_DRIVE_UNITS_PER_MINUTE = '0' } }) =>
      instances * Number(GAZELINE_DRIVE_UNITS_PER_MINUTE),
  );
  const sum = units.reduce((one, other) => one + other);
  expect(sum).toBeGreaterThan(290_000);
  expect(sum).toBeLessThan(325_000);
});
