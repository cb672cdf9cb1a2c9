import { clean } from '../clean.ts';
import { type Sign, signsOf } from './failureSigns.ts';

export type Failure = {
  kind:
    | 'stock-out'
    | 'quota'
    /** There is none at all: waiting is in vain. */
    | 'quota-zero'
    /** Too many requests; nothing is wrong with this one. */
    | 'rate'
    | 'permission'
    | 'bad-request'
    | 'exists'
    | 'not-found'
    /** This project, or this kind of machine, has no place in the zone. */
    | 'zone-closed'
    | 'transient'
    | 'unknown';
  /** What need not be tried now; `fatal`: nothing need be tried, somebody has to change something. */
  scope: 'zone' | 'region' | 'global' | 'fatal';
  /** Zones that have capacity, by what the service said. */
  hints: string[];
  metric?: string;
  limit?: number;
  /** For a person. */
  words: string;
  /** As the service said it: a wrong reading must not hide it (https://github.com/GoogleCloudPlatform/ai-on-gke/issues/849). */
  raw: string;
};

type Found = Pick<Failure, 'kind' | 'scope' | 'words'> & Partial<Failure>;

/** @returns undefined for an operation that ended without an error */
export function failureOf(errorOrOperation: unknown): Failure | undefined {
  const signs = signsOf(errorOrOperation);
  // The first of two errors of a bulk insert only says that there is a second.
  const telling = signs.filter(({ codes }) => !codes.includes('VM_MIN_COUNT_NOT_REACHED'));
  const failures = (telling.length > 0 ? telling : signs).map(read);
  return failures.sort((one, other) => weight(other) - weight(one))[0];
}

/** Of several errors the one that rules out most says what to do next. */
const weight = ({ scope, kind }: Failure) =>
  ['zone', 'region', 'global', 'fatal'].indexOf(scope) * 2 + (kind === 'unknown' ? 0 : 1);

function read(sign: Sign): Failure {
  const { codes, message, http, grpc } = sign;
  const found = byMeaning(sign) ?? {
    kind: 'unknown',
    scope: 'zone',
    words: 'The service says something that is not understood',
  };
  const code = codes[0] ?? http ?? grpc;
  const raw = clean([code, message].filter(Boolean).join(': ')).slice(0, 1000);
  return { hints: [], ...found, words: `${found.words}${raw ? ` (${raw.slice(0, 300)})` : ''}.`, raw };
}

/** What is asked for in a zone that does not exist is not there: it is no request that is wrong. */
export const unknownZone = /field 'zone'.*Unknown zone/i;

/** By https://cloud.google.com/compute/docs/troubleshooting/troubleshooting-vm-creation and SkyPilot's table. */
function byMeaning(sign: Sign): Found | undefined {
  const { codes, message, inOperation } = sign;
  const is = (...names: string[]) => names.some((name) => codes.includes(name));
  const says = (pattern: RegExp) => pattern.test(message);

  // A stock-out first: it was seen in the clothes of a quota error.
  if (
    codes.some((code) => code.startsWith('ZONE_RESOURCE_POOL_EXHAUSTED')) ||
    is('insufficientCapacity', 'resource_availability', 'STOCKOUT') ||
    says(
      /ZONE_RESOURCE_POOL_EXHAUSTED|does not have enough resources|no more capacity|currently unavailable in the .* zone/i,
    )
  )
    return { kind: 'stock-out', scope: 'zone', words: 'It is sold out in this zone', hints: hintsOf(sign) };
  if (
    is('rateLimitExceeded', 'userRateLimitExceeded', 'RATE_LIMIT_EXCEEDED') ||
    // The client of Compute Engine hides the reason.
    says(/rate ?limit exceeded|limit '[^']* per (second|minute|\d+ seconds)\b/i)
  )
    return { kind: 'rate', scope: 'global', words: 'Too many requests were made at a time' };
  if (is('RESOURCE_OPERATION_RATE_EXCEEDED'))
    return { kind: 'rate', scope: 'zone', words: 'Too many operations on one resource at a time' };
  if (
    is('QUOTA_EXCEEDED', 'quotaExceeded', 'LIMIT_EXCEEDED', 'type.googleapis.com/google.rpc.QuotaFailure') ||
    says(/\bquota\b.*\b(exceeded|exhausted)\b|\bexceeded\b.*\bquota\b|quota limit/is)
  )
    return quotaOf(sign);
  if (is('RESOURCE_NOT_READY'))
    return { kind: 'transient', scope: 'zone', words: 'The machine before it is still being stopped' };
  if (is('LOCATION_POLICY_VIOLATED') || says(/Location \S+ is not found or access is unauthorized/i))
    return { kind: 'zone-closed', scope: 'zone', words: 'This project may not use the zone' };
  // A price table may be older than the end of a zone.
  if (says(unknownZone)) return { kind: 'zone-closed', scope: 'zone', words: 'There is no such zone' };
  if (
    says(
      /(machine|accelerator|disk) ?types?\b.*(does not exist|not (found|supported|available)) in (the )?zone/i,
    ) ||
    says(
      /acceleratorType.*(not found|does not exist)|accelerator \S+ was not found in zone|runtime.* not (available|supported)/i,
    ) ||
    says(/'resource\.(machineType|guestAccelerators)\b.*referenced resource does not exist/i)
  )
    return { kind: 'zone-closed', scope: 'zone', words: 'This zone does not have this kind of machine' };
  if (is('VPC_NOT_FOUND')) return networkMissing('fatal');
  if (is('SUBNET_NOT_FOUND_FOR_VPC')) return networkMissing('region');
  if (says(/disk size cannot be smaller than the image size/i))
    return {
      kind: 'bad-request',
      scope: 'fatal',
      words: 'The disk is smaller than the image; ask for a larger one with “disk”',
    };
  if (is('IAM_PERMISSION_DENIED', 'PERMISSION_DENIED') || says(/Policy update access denied/i))
    return permissionOf(sign);
  if (inOperation && is('RESOURCE_NOT_FOUND'))
    // https://github.com/skypilot-org/skypilot/issues/1797
    return { kind: 'stock-out', scope: 'zone', words: 'The machine vanished while it was made' };
  if (inOperation && is('UNSUPPORTED_OPERATION'))
    return { kind: 'stock-out', scope: 'zone', words: 'The machine was taken away while it was made' };
  return byNumber(sign);
}

function byNumber(sign: Sign): Found | undefined {
  const { codes, http, grpc, message, inOperation } = sign;
  const is = (...names: string[]) => names.some((name) => codes.includes(name));
  if (http === 429) return { kind: 'rate', scope: 'global', words: 'Too many requests were made at a time' };
  if (http === 409 || is('alreadyExists', 'ALREADY_EXISTS') || grpc === 6)
    return { kind: 'exists', scope: 'zone', words: 'A machine with this name is there already' };
  if (http === 503) return { kind: 'stock-out', scope: 'zone', words: 'The zone cannot give a machine now' };
  if (http === 401) return { kind: 'permission', scope: 'fatal', words: 'The service account is not known' };
  if (http === 403) return permissionOf(sign);
  if (http === 404) return notFoundOf(message);
  if (http === 400 || http === 412)
    return { kind: 'bad-request', scope: 'fatal', words: 'The request is not accepted' };
  if (http === 408 || (http !== undefined && http >= 500)) return transient;
  // Of a TPU and of Workbench, numbers of gRPC may be all there is: it was preempted while it was made, sold out, or more
  // than is reserved.
  if (inOperation && (grpc === 3 || grpc === 8 || grpc === 9))
    return { kind: 'stock-out', scope: 'zone', words: 'There is none in this zone now' };
  switch (grpc) {
    case 3:
    case 9:
    case 11:
      return { kind: 'bad-request', scope: 'fatal', words: 'The request is not accepted' };
    case 5:
      return notFoundOf(message);
    case 7:
      return permissionOf(sign);
    case 8:
      return { kind: 'rate', scope: 'global', words: 'Too many requests were made at a time' };
    case 10:
      // What the client makes of 409 unless the body says more.
      return { kind: 'exists', scope: 'zone', words: 'A machine with this name is there already' };
    case 16:
      return { kind: 'permission', scope: 'fatal', words: 'The service account is not known' };
    case 1:
    case 4:
    case 13:
    case 14:
      return transient;
  }
  if (is('TIMEOUT', 'ECONNREFUSED', 'ECONNRESET', 'ETIMEDOUT', 'EPIPE', 'EAI_AGAIN', 'ENOTFOUND'))
    return transient;
  if (/socket hang up|network|fetch failed|timed? ?out/i.test(message)) return transient;
  if (is('notFound', 'NOT_FOUND')) return notFoundOf(message);
  if (is('forbidden')) return permissionOf(sign);
  if (is('invalid', 'INVALID_ARGUMENT', 'INVALID_USAGE'))
    return { kind: 'bad-request', scope: 'fatal', words: 'The request is not accepted' };
  return undefined;
}

const transient: Found = {
  kind: 'transient',
  scope: 'zone',
  words: 'The service did not answer as it should',
};

function notFoundOf(message: string): Found {
  const family = /images\/family\/([\w-]+)/.exec(message)?.[1];
  return family
    ? {
        kind: 'not-found',
        scope: 'fatal',
        words: `The image family ${family} is gone; name another one in the settings`,
      }
    : { kind: 'not-found', scope: 'fatal', words: 'Something that the machine needs is not there' };
}

const networkMissing = (scope: 'fatal' | 'region'): Found => ({
  kind: 'not-found',
  scope,
  words: 'The network has no subnetwork here, or is not there at all',
});

function permissionOf({ message, details }: Sign): Found {
  const permission = details.permission ?? /'([a-z]+\.[a-zA-Z]+\.[a-zA-Z]+)'/.exec(message)?.[1];
  const missing = permission ? `the permission ${permission}` : 'a permission';
  return { kind: 'permission', scope: 'fatal', words: `The service account lacks ${missing}` };
}

/** Where more can be asked for. https://cloud.google.com/docs/quotas/view-manage */
export const quotaPage = 'https://console.cloud.google.com/iam-admin/quotas';

function quotaOf({ message, details }: Sign): Found {
  const metric = details.limitName ?? /Quota (?:limit )?'([\w-]+)'/i.exec(message)?.[1] ?? details.metricName;
  const said = details.limit ?? details.quota_limit_value ?? /Limit:? (\d+(?:\.\d+)?)/i.exec(message)?.[1];
  const limit = said !== undefined && /^[\d.]+$/.test(said) ? Number(said) : undefined;
  const everywhere = /GPUS[_-]ALL[_-]REGIONS/i.test(`${metric} ${message}`);
  const zone = !everywhere && /\bin zone\b/i.test(message);
  const place = everywhere
    ? 'all regions'
    : (/\bin (?:region|zone) ([\w-]+)/i.exec(message)?.[1] ?? 'its region');
  const known = limit === undefined ? 'used up' : limit === 0 ? '0: there is none' : `${limit}, and used up`;
  return {
    kind: limit === 0 ? 'quota-zero' : 'quota',
    scope: everywhere ? 'global' : zone ? 'zone' : 'region',
    ...(metric ? { metric } : {}),
    ...(limit === undefined ? {} : { limit }),
    words: `The quota ${metric ?? ''} of ${place} is ${known}; ask for more at ${quotaPage}`.replace(
      '  ',
      ' ',
    ),
  };
}

/** `zonesAvailable`, and “Consider trying your request in the europe-west2-c zone(s), which currently has capacity”. */
function hintsOf({ message, details }: Sign): string[] {
  const said = /trying your request in the (.{1,200}?) zone/is.exec(message)?.[1] ?? '';
  const zones = `${details.zonesAvailable ?? ''} ${said}`.match(/\b[a-z]+-[a-z]+\d{1,2}-[a-z]\b/g) ?? [];
  return [...new Set(zones)];
}
