import { randomUUID } from 'node:crypto';
import type { File, Storage } from '@google-cloud/storage';
import * as z from 'zod';
import { codeOf } from './codeOf.ts';
import { readObject } from './readObject.ts';
import { writeObject } from './writeObject.ts';

/** A record with the generation that a change of it must name. */
export type Read<T> = { value: T; generation: string };

/**
 * Small JSON objects in a bucket: Gazeline's own records, and annotations. Every write names the generation that it replaces
 * (`'0'`: none), so two writers never overwrite each other. A record is written at most about once a second
 * (https://cloud.google.com/storage/quotas), hence one record for each file, job and machine.
 */
export type Records = {
  /** @throws BadRecord if it is there but is not what `schema` says: it is never taken for missing. */
  read<T>(name: string, schema: z.ZodType<T>): Promise<Read<T> | undefined>;
  /** Writes if the record is still at `generation`. @returns the new generation, or undefined if it was not. */
  write(name: string, value: unknown, generation: string): Promise<string | undefined>;
  /**
   * Compare-and-set: reads, asks `change` for the new value, writes, and starts again if somebody was faster. `change`
   * may be called several times. It returns undefined to leave the record as it is.
   * @returns the value that is now there
   */
  update<T, V extends T | undefined>(
    name: string,
    schema: z.ZodType<T>,
    change: (value: T | undefined) => V,
  ): Promise<V extends T ? T : T | undefined>;
  /** Removes the record if it is still at `generation`, or, without one, at the one that it has now. */
  remove(name: string, generation?: string): Promise<boolean>;
  /** The names of the records that begin with `prefix`, in order; with `from`, those before it are left out. */
  list(prefix: string, from?: string): AsyncIterable<string>;
};

/** There is something, and it is not what it should be. */
export class BadRecord extends Error {
  override name = 'BadRecord';
}

/** The generation of the record if this write made it: its answer was lost, and the library's next try met its own. */
async function generationOf(file: File, write: string): Promise<string | undefined> {
  try {
    const [{ generation, metadata }] = await file.getMetadata();
    return metadata?.write === write ? String(generation) : undefined;
  } catch (error) {
    if (codeOf(error) === 404) return undefined;
    throw error;
  }
}

/** @param wait replaced by tests; milliseconds */
export function recordsIn(
  storage: Storage,
  bucketName: string,
  wait = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms)),
): Records {
  const bucket = storage.bucket(bucketName);

  const read: Records['read'] = async (name, schema) => {
    const content = await readObject(bucket.file(name));
    if (!content) return undefined;
    const { bytes, generation } = content;
    const value = z
      .string()
      .transform((text, context) => {
        try {
          return JSON.parse(text) as unknown;
        } catch {
          context.addIssue('not JSON');
          return z.NEVER;
        }
      })
      .pipe(schema)
      .safeParse(bytes.toString());
    if (value.success) return { value: value.data, generation };
    throw new BadRecord(
      `gs://${bucketName}/${name} is not a record as expected: ${z.prettifyError(value.error)}`,
    );
  };

  const write: Records['write'] = async (name, value, generation) => {
    const file = bucket.file(name);
    const write = randomUUID();
    try {
      const resource = { contentType: 'application/json', metadata: { write } };
      const bytes = Buffer.from(JSON.stringify(value));
      return String((await writeObject(file, bytes, generation, resource)).generation);
    } catch (error) {
      if (codeOf(error) === 412) return generationOf(file, write);
      throw error;
    }
  };

  return {
    read,
    write,
    async update(name, schema, change) {
      for (let attempt = 0; ; attempt++) {
        const before = await read(name, schema);
        const value = change(before?.value);
        if (value === undefined) return before?.value as never;
        if (await write(name, value, before?.generation ?? '0')) return value as never;
        if (attempt === 20) throw new Error(`gs://${bucketName}/${name} changes too often to be written`);
        await wait(Math.random() * Math.min(50 * 2 ** attempt, 2000));
      }
    },
    async remove(name, generation) {
      try {
        const file = bucket.file(name);
        const there = generation ?? String((await file.getMetadata())[0].generation);
        await file.delete({ ifGenerationMatch: there });
        return true;
      } catch (error) {
        if (codeOf(error) === 404 || codeOf(error) === 412) return false;
        throw error;
      }
    },
    async *list(prefix, from) {
      let pageToken: string | undefined;
      do {
        const [files, next] = await bucket.getFiles({
          prefix,
          autoPaginate: false,
          fields: 'items(name),nextPageToken',
          ...(from ? { startOffset: from } : {}),
          ...(pageToken ? { pageToken } : {}),
        });
        for (const { name } of files) yield name;
        pageToken = (next as { pageToken?: string } | null)?.pageToken;
      } while (pageToken);
    },
  };
}
