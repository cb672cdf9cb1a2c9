import { protectionOf } from '../protection.ts';
import type { Evidence, Heard, Measured } from './evidence.ts';
import type { Heartbeat } from './heartbeat.ts';
import { type IdleMachine, jobOf } from './idleMachine.ts';
import { managedBy } from './managedBy.ts';
import type { IdlePolicy } from './policy.ts';

export const reasons = [
  'not-running',
  'job',
  'protected',
  'managed',
  'opted-out',
  'zone-unseen',
  'start-unknown',
  'young',
  'at-work',
  'person',
  'silent-agent',
  'no-answer',
  'no-samples',
  'idle',
] as const;
export type Reason = (typeof reasons)[number];

export type Decision = {
  do: 'keep' | 'warn' | 'stop';
  reason: Reason;
  /** The same for a person. */
  why: string;
  /** The end of the countdown, of one that is idle. */
  stopAt?: string;
  evidence: Evidence;
};

/** Samples are taken each minute, and one in five may be missing. https://cloud.google.com/monitoring/api/metrics_gcp_c#gcp-compute */
const leastSamples = 0.8;
const minute = 60_000;
/** An agent speaks each minute. */
const freshHeartbeat = 10 * minute;
/** A clock of a machine is never quite right. */
const skew = 10 * minute;
/** Of the busiest GPU. */
export const quietGpu = 0.05;
/** Of the machine, but of a large one no more than half a processor: what runs in one thread is work as well. */
export const quietCpu = (vcpus: number | undefined): number => Math.min(0.05, 0.5 / (vcpus ?? unknownSize));
const unknownSize = 64;
/** Bytes a second, as for the agent. */
export const quietNetwork = 1_000_000;

/**
 * Whether a machine is left alone, warned or stopped. Whatever is not known keeps it, and so does a single sign of life:
 * a machine that runs on costs money, and work that is lost costs more.
 * @param machine with the end of its countdown, if people were warned
 */
export function decide(
  machine: IdleMachine & { stopAt?: string },
  evidence: Evidence,
  given: IdlePolicy,
  now: number,
): Decision {
  const policy = seenBy(evidence.heartbeat, given, now);
  const keeps = keptBy(machine, evidence, policy, now);
  if (keeps) return { do: 'keep', reason: keeps[0], why: keeps[1], evidence };
  const stopAt = Date.parse(machine.stopAt ?? '');
  const why = idleWords(evidence, policy, now);
  // A countdown that ended long ago was of another time that nothing happened.
  const isCounting = stopAt + Math.max(policy.after, policy.countdown) > now;
  // To the minute, as it stands on the label.
  const end = isCounting ? stopAt : Math.ceil((now + policy.countdown) / minute) * minute;
  return {
    do: end <= now ? 'stop' : 'warn',
    reason: 'idle',
    why,
    stopAt: new Date(end).toISOString(),
    evidence,
  };
}

/** The policy for a machine whose agent is, or is not, heard. As long as it was not asked, it may be. */
export function seenBy(heard: Heard, policy: IdlePolicy, now: number): IdlePolicy {
  const { after, afterWithoutAgent = after } = policy;
  const isHeard = heard.kind === 'heard' && now - Date.parse(heard.heartbeat.at) <= freshHeartbeat;
  return isHeard || heard.kind === 'unasked' ? policy : { ...policy, after: afterWithoutAgent };
}

type Keeps = [Reason, string];

function keptBy(
  machine: IdleMachine,
  evidence: Evidence,
  policy: IdlePolicy,
  now: number,
): Keeps | undefined {
  const { status, startedAt, hasOptedOut } = machine;
  if (status !== 'RUNNING') return ['not-running', `it is ${status}`];
  const job = jobOf(machine);
  if (job !== undefined) return ['job', `it works on the job ${job}, which ends it`];
  const protection = protectionOf(machine, now);
  if (protection) return ['protected', protection];
  const manager = managedBy(machine);
  if (manager) return ['managed', manager];
  if (hasOptedOut) return ['opted-out', 'its owner has switched the idle timer of Workbench off'];
  if (!evidence.isZoneThere) return ['zone-unseen', 'its zone did not answer'];

  const started = Date.parse(startedAt ?? '');
  if (Number.isNaN(started)) return ['start-unknown', 'it is not known when it started'];
  if (now - started < policy.grace) return ['young', `it was started ${ago(started, now)}`];
  return (
    heartbeatKeeps(evidence, started, policy, now) ??
    seriesKeeps('CPU', evidence.cpu, quietCpu(machine.vcpus)) ??
    // Only the Ops Agent measures GPUs; and what a GPU works on keeps a processor busy as well.
    (evidence.gpu.kind === 'none' ? undefined : seriesKeeps('GPU', evidence.gpu, quietGpu)) ??
    // A download needs less of a processor than is taken for work.
    (evidence.network.kind === 'none'
      ? undefined
      : seriesKeeps('network', evidence.network, quietNetwork, megabytes))
  );
}

function heartbeatKeeps(
  { heartbeat: heard }: Evidence,
  started: number,
  policy: IdlePolicy,
  now: number,
): Keeps | undefined {
  if (heard.kind === 'unknown') return ['no-answer', `it cannot be asked for its agent: ${heard.why}`];
  if (heard.kind !== 'heard') return undefined;
  const { heartbeat } = heard;
  const at = Date.parse(heartbeat.at);
  // Of the time before it was stopped and started again.
  if (at < started - skew) return undefined;
  if (at > now + skew) return ['no-answer', 'the clock of its agent is wrong'];
  if (now - at > freshHeartbeat)
    return now - at < policy.hardLimit
      ? ['silent-agent', `its agent was last heard ${ago(at, now)}, and may be kept from speaking`]
      : undefined;
  return workOf(heartbeat, policy, now) ?? personOf(heartbeat, policy, now);
}

function workOf({ busy, gpuAt, networkAt, kernels }: Heartbeat, policy: IdlePolicy, now: number) {
  const isRecent = (time: string | undefined) => time !== undefined && now - Date.parse(time) < policy.after;
  const at = (words: string): Keeps => ['at-work', words];
  if (busy) return at(`it is at work: ${busy}`);
  if (kernels && kernels.busy > 0) return at(`${kernels.busy} of its kernels compute`);
  if (isRecent(gpuAt)) return at(`a GPU was in use ${ago(Date.parse(gpuAt ?? ''), now)}`);
  if (isRecent(networkAt)) return at(`much went over its network ${ago(Date.parse(networkAt ?? ''), now)}`);
  if (isRecent(kernels?.at)) return at(`a kernel was used ${ago(Date.parse(kernels?.at ?? ''), now)}`);
  return undefined;
}

/** A session that nobody has touched for very long was forgotten. */
function personOf({ ssh }: Heartbeat, { hardLimit }: IdlePolicy, now: number): Keeps | undefined {
  if (!ssh || ssh.sessions === 0) return undefined;
  const at = Date.parse(ssh.at ?? '');
  if (Number.isNaN(at)) return ['person', 'somebody is logged in'];
  return now - at < hardLimit
    ? ['person', `somebody is logged in, and was there ${ago(at, now)}`]
    : undefined;
}

function seriesKeeps(
  what: string,
  measured: Measured,
  quiet: number,
  shown: (value: number) => string = percent,
): Keeps | undefined {
  if (measured.kind === 'none') return ['no-samples', `Monitoring has nothing on its ${what}`];
  if (measured.kind === 'unknown')
    return ['no-answer', `Monitoring cannot be asked for its ${what}: ${measured.why}`];
  const { most, samples, expected } = measured;
  if (most >= quiet) return ['at-work', `its ${what} was at ${shown(most)}`];
  if (samples < expected * leastSamples)
    return ['no-samples', `Monitoring has ${samples} of ${expected} samples of its ${what}`];
  return undefined;
}

function idleWords({ cpu, gpu, heartbeat: heard }: Evidence, { after }: IdlePolicy, now: number): string {
  const of = (name: string, one: Measured) =>
    one.kind === 'measured' ? [`${name} at most ${percent(one.most)}`] : [];
  const { ssh, kernels } = heard.kind === 'heard' ? heard.heartbeat : {};
  return [
    `nothing has happened for ${span(after)}`,
    ...of('CPU', cpu),
    ...of('GPU', gpu),
    ...(kernels?.at ? [`the last kernel was used ${ago(Date.parse(kernels.at), now)}`] : []),
    ...(ssh?.sessions && ssh.at ? [`a session was forgotten ${ago(Date.parse(ssh.at), now)}`] : []),
    ...(heard.kind === 'heard' ? [] : ['no agent']),
  ].join(', ');
}

const percent = (share: number) => `${Number((share * 100).toFixed(1))} %`;
const megabytes = (bytes: number) => `${Number((bytes / 1e6).toFixed(1))} MB a second`;
const ago = (at: number, now: number) => `${span(Math.max(now - at, 0))} ago`;
const span = (ms: number) =>
  ms < 120 * minute ? `${Math.round(ms / minute)} min` : `${Math.round(ms / (60 * minute))} h`;
