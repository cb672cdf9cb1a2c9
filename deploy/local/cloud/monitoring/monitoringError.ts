import { GoogleError } from '../googleError.ts';

export const invalid = (message: string) => new GoogleError(400, 'badRequest', message);

/** As Monitoring words it: `Field aggregation.perSeriesAligner had an invalid value of "ALIGN_MEDIAN": …` */
export const invalidField = (field: string, value: unknown, why: string) =>
  invalid(
    value === undefined
      ? `Field ${field} had an invalid value: ${why}`
      : `Field ${field} had an invalid value of "${value}": ${why}`,
  );

export const unknownMetric = (type: string) =>
  new GoogleError(
    404,
    'notFound',
    `Cannot find metric(s) that match type = "${type}". If a metric was created recently, it could take up to 10 minutes to become available. Please try again soon.`,
  );

/** What Google can do and the local Monitoring cannot. */
export const notHere = (what: string) =>
  new GoogleError(501, 'notImplemented', `The local Monitoring has no ${what}.`);
