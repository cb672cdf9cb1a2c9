import type { LanguageServiceClient } from '@google-cloud/language';
import type { Bucket } from '@google-cloud/storage';
import type { RawObject } from '../storage/rawObject.ts';
import { readObject } from '../storage/readObject.ts';
import { Unprocessable } from '../unprocessable.ts';
import type { Annotator } from './annotation.ts';
import { areasOfText } from './areasOfText.ts';
import type { Described } from './describeImage.ts';
import { encodingOf } from './kindOf.ts';
import { type TextFeature, textFeatures } from './settings.ts';
import { OutOfUnits, type Units } from './units.ts';

/** https://cloud.google.com/natural-language/quotas */
const largestText = 1_000_000;

/** google.rpc.Code of what the service will never do: INVALID_ARGUMENT (an unknown language, say), UNIMPLEMENTED. */
const finalCodes = new Set([3, 12]);

export type DescribeTextDependencies = {
  language: () => Promise<LanguageServiceClient>;
  annotator: (service: Annotator['service']) => Promise<Annotator>;
  units: Units;
};

/** Offsets count in UTF-16 code units of the text without a byte-order mark. @throws OutOfUnits, Unprocessable */
export async function describeText(
  raw: Bucket,
  { name, generation, size }: RawObject,
  features: TextFeature[],
  { language, annotator, units }: DescribeTextDependencies,
): Promise<Described> {
  if (size > largestText)
    throw new Unprocessable(`${name} has ${size} bytes; Natural Language takes ${largestText}`);
  const object = await readObject(raw.file(name, { generation }));
  const content = decode(name, object?.bytes ?? Buffer.alloc(0));

  const cost = unitsOf(content, features);
  if (!(await units.take('language', cost))) throw new OutOfUnits('language', cost);
  try {
    const [response] = await (await language()).annotateText({
      document: { content, type: 'PLAIN_TEXT' },
      features: Object.fromEntries(features.map((feature) => [textFeatures[feature], true])),
      // Without it, every offset is -1.
      encodingType: 'UTF16',
    });
    return {
      annotator: await annotator('language.googleapis.com'),
      areasOfInterest: areasOfText(response),
      problems: [],
      response,
    };
  } catch (error) {
    await units.giveBack('language', cost);
    const { code, message } = error as { code?: number; message?: string };
    if (code === undefined || !finalCodes.has(code)) throw error;
    throw new Unprocessable(`Natural Language does not take ${name}: ${message}`, { cause: error });
  }
}

function decode(name: string, bytes: Buffer): string {
  const encoding = encodingOf(bytes);
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch (error) {
    throw new Unprocessable(`${name} is not ${encoding}; save it as UTF-8`, { cause: error });
  }
}

/**
 * A unit is 1,000 characters of one feature, begun ones counted whole; moderation counts by the hundred.
 * https://cloud.google.com/natural-language/pricing
 */
function unitsOf(content: string, features: TextFeature[]): number {
  const thousands = Math.ceil(content.length / 1000);
  return features.reduce((sum, feature) => sum + thousands * (feature === 'moderation' ? 10 : 1), 0);
}
