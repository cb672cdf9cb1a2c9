import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { useLocalCloud } from '../../../../localCloud.ts';
import { call } from './raw.ts';

const cloud = useLocalCloud();

/** What a bucket should hold: for each name its generations, the oldest first. */
type Version = { generation: string; text: string; live: boolean; metageneration: number };
type Model = { versioned: boolean; objects: Map<string, Version[]> };

const name = fc.constantFrom('a', 'a/b', 'a/c', 'b', 'é', '\u{10000}', '\uffff');
const text = fc.string({ maxLength: 5 });
const condition = fc.constantFrom('none', 'current', 'absent', 'stale');
const operation = fc.oneof(
  fc.record({ op: fc.constant('insert' as const), name, text, condition }),
  fc.record({ op: fc.constant('delete' as const), name, condition }),
  fc.record({ op: fc.constant('deleteOldest' as const), name }),
  fc.record({ op: fc.constant('patch' as const), name, condition }),
  fc.record({ op: fc.constantFrom('copyTo' as const, 'moveTo' as const), name, to: name, condition }),
  fc.record({
    op: fc.constant('compose' as const),
    name,
    parts: fc.array(name, { minLength: 1, maxLength: 3 }),
    condition,
  }),
);
type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never;

const liveOf = ({ objects }: Model, name: string) => objects.get(name)?.find(({ live }) => live);

/** The query of a precondition on an object as the model knows it, and whether it holds. */
function asked(model: Model, name: string, condition: string): { query: string; holds: boolean } {
  const live = liveOf(model, name);
  switch (condition) {
    case 'current':
      return { query: `ifGenerationMatch=${live?.generation ?? 0}`, holds: true };
    case 'absent':
      return { query: 'ifGenerationMatch=0', holds: !live };
    case 'stale':
      return { query: 'ifGenerationMatch=12345', holds: false };
    default:
      return { query: '', holds: true };
  }
}

function retire(model: Model, name: string, forGood?: Version): void {
  const versions = model.objects.get(name) ?? [];
  const kept = versions
    .filter((version) => version !== forGood && (model.versioned || !version.live))
    .map((version) => ({ ...version, live: false }));
  model.objects.set(name, forGood ? versions.filter((version) => version !== forGood) : kept);
}

function put(model: Model, name: string, generation: string, text: string): void {
  retire(model, name);
  model.objects.get(name)?.push({ generation, text, live: true, metageneration: 1 });
}

/** Does one operation on both, and compares what they answer. */
async function run(model: Model, base: string, upload: string, step: Operation) {
  const at = (name: string) => `${base}/${encodeURIComponent(name)}`;
  const live = liveOf(model, step.name);
  switch (step.op) {
    case 'insert': {
      const { query, holds } = asked(model, step.name, step.condition);
      const url = `${upload}?uploadType=media&name=${encodeURIComponent(step.name)}&${query}`;
      const { status, body } = await call('POST', url, { body: step.text });
      expect(status).toBe(holds ? 200 : 412);
      if (holds) put(model, step.name, body.generation, step.text);
      return;
    }
    case 'delete': {
      const { query, holds } = asked(model, step.name, step.condition);
      const { status } = await call('DELETE', `${at(step.name)}?${query}`);
      expect(status).toBe(live ? (holds ? 204 : 412) : 404);
      if (live && holds) retire(model, step.name);
      return;
    }
    case 'deleteOldest': {
      const oldest = model.objects.get(step.name)?.[0];
      const { status } = await call('DELETE', `${at(step.name)}?generation=${oldest?.generation ?? 12345}`);
      expect(status).toBe(oldest ? 204 : 404);
      if (oldest) retire(model, step.name, oldest);
      return;
    }
    case 'patch': {
      const { query, holds } = asked(model, step.name, step.condition);
      const { status } = await call('PATCH', `${at(step.name)}?${query}`, { json: { metadata: { a: 'b' } } });
      expect(status).toBe(live ? (holds ? 200 : 412) : 404);
      if (live && holds) live.metageneration++;
      return;
    }
    case 'compose': {
      const { query, holds } = asked(model, step.name, step.condition);
      const json = { sourceObjects: step.parts.map((name) => ({ name })) };
      const { status, body } = await call('POST', `${at(step.name)}/compose?${query}`, { json });
      const parts = step.parts.map((name) => liveOf(model, name)?.text);
      expect(status).toBe(parts.includes(undefined) ? 404 : holds ? 200 : 412);
      if (status === 200) put(model, step.name, body.generation, parts.join(''));
      return;
    }
    default: {
      const { query, holds } = asked(model, step.to, step.condition);
      const target = step.op === 'moveTo' ? 'moveTo' : `copyTo/b/${base.split('/').at(-2)}`;
      const url = `${at(step.name)}/${target}/o/${encodeURIComponent(step.to)}?${query}`;
      const { status, body } = await call('POST', url);
      expect(status).toBe(live ? (holds ? 200 : 412) : 404);
      if (!live || !holds) return;
      put(model, step.to, body.generation, live.text);
      if (step.op === 'moveTo' && step.to !== step.name) retire(model, step.name);
    }
  }
}

test('whatever is done, objects, versions and lists agree with a simple model', async () => {
  let made = 0;
  const steps = fc.array(operation, { minLength: 5, maxLength: 25 });
  const property = fc.asyncProperty(fc.boolean(), steps, async (versioned, steps) => {
    const bucket = `random-${++made}`;
    const json = { name: bucket, versioning: { enabled: versioned } };
    await call('POST', `${cloud.origin}/storage/v1/b`, { json });
    const model: Model = { versioned, objects: new Map() };
    const base = `${cloud.origin}/storage/v1/b/${bucket}/o`;
    const upload = `${cloud.origin}/upload/storage/v1/b/${bucket}/o`;
    for (const step of steps) await run(model, base, upload, step);

    const expected = Array.from(model.objects, ([name, versions]) =>
      versions.map((version) => ({ name, ...version })),
    )
      .flat()
      .sort(
        (a, b) =>
          Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)) ||
          Number(a.generation) - Number(b.generation),
      );
    const { body } = await call('GET', `${base}?versions=true`);
    const listed = await Promise.all(
      // biome-ignore lint/suspicious/noExplicitAny: a resource
      (body.items ?? []).map(async ({ name, generation, metageneration, timeDeleted }: any) => {
        const url = `${base}/${encodeURIComponent(name)}?alt=media&generation=${generation}`;
        const text = Buffer.from(await (await fetch(url)).arrayBuffer()).toString();
        return { name, generation, text, live: !timeDeleted, metageneration: Number(metageneration) };
      }),
    );
    expect(listed).toEqual(expected);
    const live = await call('GET', base);
    expect((live.body.items ?? []).map(({ name }: { name: string }) => name)).toEqual(
      expected.filter(({ live }) => live).map(({ name }) => name),
    );
  });
  await fc.assert(property, { numRuns: 60 });
});
