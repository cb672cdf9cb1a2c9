/** The zones of the regions that have accelerators, as far as machines are looked for there. */
const letters: Record<string, string> = {
  'us-central1': 'abcf',
  'us-east1': 'bcd',
  'us-east4': 'abc',
  'us-east5': 'abc',
  'us-west1': 'abc',
  'us-west2': 'abc',
  'us-west3': 'abc',
  'us-west4': 'abc',
  'northamerica-northeast1': 'abc',
  'northamerica-northeast2': 'abc',
  'europe-west1': 'bcd',
  'europe-west2': 'abc',
  'europe-west3': 'abc',
  'europe-west4': 'abc',
  'europe-west6': 'abc',
  'me-central2': 'abc',
  'asia-east1': 'abc',
  'asia-northeast1': 'abc',
  'asia-northeast3': 'abc',
  'asia-south1': 'abc',
  'asia-southeast1': 'abc',
};

export const regions = Object.keys(letters).sort();

export const zonesOf = (region: string): string[] =>
  [...(letters[region] ?? '')].map((letter) => `${region}-${letter}`);

export const zones = regions.flatMap(zonesOf);

export const regionOf = (zone: string): string => zone.replace(/-[a-z]$/, '');
