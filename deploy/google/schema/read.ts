import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { ProviderSchema } from './schema.ts';

export const readSchema = (): ProviderSchema =>
  JSON.parse(gunzipSync(readFileSync(new URL('google.json.gz', import.meta.url))).toString());
