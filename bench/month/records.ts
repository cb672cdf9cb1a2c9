import type { Read, Records } from '../../shared/storage/records.ts';

/** Records as they are, in this process: a month has a hundred thousand of their requests. */
export function recordsInMemory(): Records {
  const all = new Map<string, { text: string; generation: string }>();
  let last = 0;
  const write: Records['write'] = async (name, value, generation) => {
    if ((all.get(name)?.generation ?? '0') !== generation) return undefined;
    const next = String(++last);
    all.set(name, { text: JSON.stringify(value), generation: next });
    return next;
  };
  const read: Records['read'] = async (name, schema) => {
    const found = all.get(name);
    return found && { value: schema.parse(JSON.parse(found.text)), generation: found.generation };
  };
  return {
    read,
    write,
    async update(name, schema, change) {
      for (;;) {
        const before: Read<unknown> | undefined = await read(name, schema);
        const value = change(before?.value as never);
        if (value === undefined) return before?.value as never;
        if (await write(name, value, before?.generation ?? '0')) return value as never;
      }
    },
    async remove(name, generation) {
      const found = all.get(name);
      return found !== undefined && (generation ?? found.generation) === found.generation && all.delete(name);
    },
    async *list(prefix, from = '') {
      for (const name of [...all.keys()].sort()) if (name.startsWith(prefix) && name >= from) yield name;
    },
  };
}
