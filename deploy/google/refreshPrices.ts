import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { GoogleAuth } from 'google-auth-library';
import { cloudbilling } from 'googleapis/build/src/apis/cloudbilling/index.js';
import { PriceTable, priceTable } from '../../shared/machines/priceTable.ts';
import { tableFromSkus } from './prices/fromSkus.ts';
import { Sku } from './prices/skus.ts';

/*
 * Makes `shared/machines/priceTable.json` again, from Google's own catalogue:
 *
 *     node deploy/google/refreshPrices.ts [--out FILE] [--root URL] && npm run format
 *
 * It needs `gcloud auth application-default login`, and no rights in any project. Look at what it tells and at the
 * difference before you commit it. It was tried on a fixture of the catalogue's form, and never on Google's own.
 */
const { values } = parseArgs({ options: { out: { type: 'string' }, root: { type: 'string' } } });

/** Compute Engine, and TPUs up to v4; the later ones are among those of Compute Engine; and Cloud Storage. */
const services = ['services/6F81-5844-456A', 'services/E000-3F24-B8AA', 'services/95FF-2EF5-5EA1'];

const billing = values.root
  ? cloudbilling({ version: 'v1', rootUrl: new URL('/', values.root).href })
  : cloudbilling({
      version: 'v1',
      auth: new GoogleAuth({ scopes: ['https://www.googleapis.com/auth/cloud-billing.readonly'] }),
    });

const skus: Sku[] = [];
for (const parent of services) {
  let pageToken: string | undefined;
  do {
    const { data } = await billing.services.skus.list({
      parent,
      currencyCode: 'USD',
      pageSize: 5000,
      ...(pageToken ? { pageToken } : {}),
    });
    for (const one of data.skus ?? []) {
      const sku = Sku.safeParse(one);
      if (sku.success) skus.push(sku.data);
      else console.error(`A price of another form is left out: ${String(one.description).slice(0, 100)}`);
    }
    pageToken = data.nextPageToken || undefined;
  } while (pageToken);
}

const before = priceTable();
const table = tableFromSkus(
  skus,
  {
    asOf: new Date().toISOString().slice(0, 10),
    zones: before.zones,
    source: `https://cloudbilling.googleapis.com/v1/{${services.join(',')}}/skus. Zones: as before.`,
  },
  (problem) => console.error(problem),
);
for (const part of ['vcpus', 'gpus', 'tpus', 'storage'] as const)
  for (const [name, regions] of Object.entries(before[part])) {
    const now: Record<string, object> = table[part];
    const gone = Object.keys(regions).filter((region) => !(region in (now[name] ?? {})));
    if (gone.length > 0) console.error(`${name} has no price any more in ${gone.join(', ')}`);
  }
const out = values.out ?? new URL('../../shared/machines/priceTable.json', import.meta.url);
await writeFile(out, `${JSON.stringify(PriceTable.parse(table), null, 2)}\n`);
console.log(`${skus.length} prices read; written to ${String(out)}.`);
