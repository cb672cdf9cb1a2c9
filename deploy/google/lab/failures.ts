/** What may be done about a failure of Terraform's or gcloud's. */
export type Remedy =
  /** It passes by itself: rights and new services of Google take minutes to be known everywhere. */
  | { kind: 'wait'; why: string }
  /** The organisation forbids public functions. */
  | { kind: 'poll' }
  | { kind: 'permission'; permission: string | undefined; resource: string | undefined }
  | { kind: 'locked'; id: string | undefined }
  | { kind: 'unknown' };

/** Each was met by somebody at a first deployment; the link tells by whom, or whose words they are. */
const passing: { words: RegExp; why: string; seen: string }[] = [
  {
    words: /has not been used in project \S+ before or it is disabled|SERVICE_DISABLED/,
    why: 'a service that was just switched on is not known everywhere yet',
    seen: 'https://github.com/hashicorp/terraform-provider-google/issues/10510',
  },
  {
    words: /may take a few minutes before all necessary permissions are propagated/,
    why: 'an account of Google’s own is being given its rights',
    seen: 'https://github.com/hashicorp/terraform-provider-google/issues/25294',
  },
  {
    words: /Cannot find metric(\(s\))? that match|metric referenced by the provided filter is unknown/,
    why: 'a new metric is not known yet',
    seen: 'https://github.com/hashicorp/terraform-provider-google/issues/11102',
  },
  {
    words: /[Ss]ervice account \S+ does not exist|service-\d+@\S+ does not exist/,
    why: 'a new account is not known everywhere yet',
    seen: 'https://github.com/GoogleCloudPlatform/genai-for-marketing/issues/139',
  },
  {
    words: /[Rr]ole \S+ (does not exist|was not found)|Unknown role|role is not supported for this resource/,
    why: 'a new role is not known everywhere yet',
    seen: 'https://cloud.google.com/iam/docs/access-change-propagation',
  },
  {
    words: /does not have permission to write logs|missing permission on the build service account/,
    why: 'the account that builds the functions is being given its rights',
    seen: 'https://github.com/GoogleCloudPlatform/terraform-genai-knowledge-base/issues/245',
  },
  {
    words:
      /does not have permission to publish messages to|You must grant Storage Object Viewer permission to/,
    why: 'rights that were just given are not known everywhere yet',
    seen: 'https://cloud.google.com/storage/docs/reporting-changes#prereqs',
  },
  {
    words: /concurrent policy changes/,
    why: 'several rights were written at once',
    seen: 'https://cloud.google.com/iam/docs/retry-strategy',
  },
  {
    words:
      /Error (429|500|502|503|504)\b|RESOURCE_EXHAUSTED.*per minute|connection reset by peer|TLS handshake timeout/,
    why: 'Google asks to come again later',
    seen: 'https://cloud.google.com/apis/design/errors#error_retries',
  },
];

/** Read from the whole text of an error. Propagation comes first: it also says “permission”. */
export function remedyOf(text: string): Remedy {
  const found = passing.find(({ words }) => words.test(text));
  if (found) return { kind: 'wait', why: found.why };
  if (/do not belong to a permitted customer|allowedPolicyMemberDomains/.test(text)) return { kind: 'poll' };
  if (/Error acquiring the state lock/.test(text))
    return { kind: 'locked', id: /ID:\s+(\S+)/.exec(text)?.[1] };
  if (
    /Error 403|PERMISSION_DENIED|IAM_PERMISSION_DENIED|[Pp]ermission '?[\w.]+'? denied|does not have permission/.test(
      text,
    )
  )
    return {
      kind: 'permission',
      permission: /[Pp]ermission '?([a-z]+\.[\w.]+)'?/.exec(text)?.[1],
      resource: /on (?:resource )?'?\/*((?:projects|billingAccounts|\w+\.googleapis\.com)[^\s'",]*)/.exec(
        text,
      )?.[1],
    };
  return { kind: 'unknown' };
}
