/** Why an operation failed, as it stands in the operation. https://cloud.google.com/compute/docs/resource-error */
export type Failure = {
  httpErrorStatusCode: number;
  httpErrorMessage: string;
  error: { errors: { code: string; message: string; errorDetails?: object[] }[] };
};

const failure = (
  httpErrorStatusCode: number,
  httpErrorMessage: string,
  error: Failure['error']['errors'][number],
): Failure => ({ httpErrorStatusCode, httpErrorMessage, error: { errors: [error] } });

export type Wanted = {
  zone: string;
  machineType: string;
  accelerators: { type: string; count: number }[];
  project: string;
};

/** @param zonesAvailable which Google names if it knows any; it is only a hint. */
export function stockOut(wanted: Wanted, code: string, zonesAvailable: string[]): Failure {
  const { zone, machineType, accelerators, project } = wanted;
  const attachment = accelerators
    .map(({ type, count }) => `${type.replace('-tesla', '')}=${count}`)
    .join(',');
  const attached = attachment && ` with <${attachment}>`;
  const hint =
    zonesAvailable.length > 0
      ? `Consider trying your request in the ${zonesAvailable.join(', ')} zone(s), which currently has capacity to accommodate your request. Alternatively, you can try your request again`
      : 'You can try your request again';
  const message = /_WITH_DETAILS$/.test(code)
    ? `The zone 'projects/${project}/zones/${zone}' does not have enough resources available to fulfill the request. '(resource type:compute)'.`
    : `The zone 'projects/${project}/zones/${zone}' does not have enough resources available to fulfill the request.  Try a different zone, or try again later.`;
  return failure(503, 'SERVICE UNAVAILABLE', {
    code,
    message,
    errorDetails: [
      {
        help: {
          links: [
            {
              description: 'Troubleshooting documentation',
              url: 'https://cloud.google.com/compute/docs/resource-error',
            },
          ],
        },
      },
      {
        localizedMessage: {
          locale: 'en-US',
          message: `A ${machineType} VM instance${attached} is currently unavailable in the ${zone} zone. ${hint} with a different VM hardware configuration or at a later time.`,
        },
      },
      {
        errorInfo: {
          reason: 'resource_availability',
          domain: 'compute.googleapis.com',
          metadatas: { vmType: machineType, attachment, zone, zonesAvailable: zonesAvailable.join(',') },
        },
      },
    ],
  });
}

export type Exceeded = { metric: string; limit: number; region: string | undefined };

export const quotaMessage = ({ metric, limit, region }: Exceeded) =>
  `Quota '${metric}' exceeded.  Limit: ${limit.toFixed(1)} ${region ? `in region ${region}` : 'globally'}.`;

export function quotaFailure(exceeded: Exceeded): Failure {
  const { metric, limit, region } = exceeded;
  return failure(403, 'FORBIDDEN', {
    code: 'QUOTA_EXCEEDED',
    message: quotaMessage(exceeded),
    errorDetails: [
      {
        quotaInfo: {
          metricName: `compute.googleapis.com/${metric.toLowerCase()}`,
          limitName: `${metric.replaceAll('_', '-')}-per-project${region ? '-region' : ''}`,
          dimensions: region ? { region } : {},
          limit,
        },
      },
    ],
  });
}

/** The machine has gone while it was being made. */
export const vanished = (path: string) =>
  failure(404, 'NOT FOUND', { code: 'RESOURCE_NOT_FOUND', message: `The resource '${path}' was not found` });

/** What is met when a spot machine is preempted while it is being made. */
export const unsupported = (path: string) =>
  failure(400, 'BAD REQUEST', {
    code: 'UNSUPPORTED_OPERATION',
    message: `The operation is not supported in the current state of '${path}'`,
  });
