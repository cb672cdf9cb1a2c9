import type { protos } from '@google-cloud/compute';
import { brief, type ComputeClients } from '../computeClients.ts';
import { allPages, machineOf } from '../computeEngine.ts';
import { failureOf } from '../failure.ts';
import { shapeOf } from '../machineTypes.ts';
import type { Heard } from './evidence.ts';
import { heartbeatKey, parseHeartbeat } from './heartbeat.ts';
import type { IdleMachine } from './idleMachine.ts';

type Instance = protos.google.cloud.compute.v1.IInstance;

/** What the sweep asks of Compute Engine, besides stopping. */
export type IdleVms = {
  /** All machines that can be seen, and the zones that did not answer. */
  list(): Promise<{ machines: IdleMachine[]; unseen: string[] }>;
  /** As it is now. @returns undefined if there is none */
  look(machine: Pick<IdleMachine, 'zone' | 'name'>): Promise<IdleMachine | undefined>;
  /** What its agent said last. */
  hear(machine: IdleMachine): Promise<Heard>;
  /** Sets this label, or takes it away. @throws if that cannot be done */
  label(machine: IdleMachine, key: string, value: string | undefined): Promise<void>;
};

export function idleVms(
  project: string,
  { instances, listInstances }: Pick<ComputeClients, 'instances' | 'listInstances'>,
): IdleVms {
  const of = ({ zone, name }: Pick<IdleMachine, 'zone' | 'name'>) => ({ project, zone, instance: name });
  return {
    async list() {
      const { items: machines, unseen } = await allPages(listInstances, { project }, ({ instances = [] }) =>
        instances.map(idleMachineOf),
      );
      return { machines, unseen: [...new Set(unseen)] };
    },

    async look(machine) {
      try {
        const [instance] = await instances.get(of(machine), brief);
        return idleMachineOf(instance);
      } catch (error) {
        if (failureOf(error)?.kind === 'not-found') return undefined;
        throw error;
      }
    },

    async hear(machine) {
      try {
        const [{ queryValue }] = await instances.getGuestAttributes(
          { ...of(machine), queryPath: heartbeatKey },
          brief,
        );
        const heartbeat = parseHeartbeat(queryValue?.items?.[0]?.value ?? '');
        return heartbeat ? { kind: 'heard', heartbeat } : { kind: 'none' };
      } catch (error) {
        const failure = failureOf(error);
        if (!failure) throw error;
        // Guest attributes are switched off, or nothing ever wrote one.
        if (failure.kind === 'not-found' || isSwitchedOff(error)) return { kind: 'none' };
        return { kind: 'unknown', why: failure.words };
      }
    },

    async label(machine, key, value) {
      const [{ labels, labelFingerprint }] = await instances.get(of(machine), brief);
      const { [key]: before, ...rest } = labels ?? {};
      if (before === value) return;
      await instances.setLabels({
        ...of(machine),
        // What somebody else changes meanwhile is not lost: it is refused then.
        instancesSetLabelsRequestResource: {
          labels: value === undefined ? rest : { ...rest, [key]: value },
          labelFingerprint: labelFingerprint ?? '',
        },
      });
    },
  };
}

/** https://cloud.google.com/compute/docs/metadata/manage-guest-attributes#disable_guest_attributes */
const isSwitchedOff = (error: unknown): boolean =>
  error instanceof Error && /guest attributes endpoint access is disabled/i.test(error.message);

function idleMachineOf(instance: Instance): IdleMachine {
  const items = instance.metadata?.items ?? [];
  const machineType = instance.machineType?.split('/').at(-1) ?? '';
  const timer = items.find(({ key }) => key === 'idle-timeout-seconds')?.value;
  return {
    ...machineOf(instance),
    id: String(instance.id ?? ''),
    machineType,
    vcpus: vcpusOf(machineType),
    guestAccelerators: (instance.guestAccelerators ?? []).map(({ acceleratorType, acceleratorCount }) => ({
      type: acceleratorType?.split('/').at(-1) ?? '',
      count: acceleratorCount ?? 0,
    })),
    model: String(instance.scheduling?.provisioningModel) === 'SPOT' ? 'spot' : 'standard',
    diskGb: (instance.disks ?? []).reduce((sum, { diskSizeGb }) => sum + Number(diskSizeGb ?? 0), 0),
    localSsd: (instance.disks ?? []).some(({ type }) => String(type) === 'SCRATCH'),
    isKubernetes: items.some(({ key }) => key === 'kube-env' || key === 'kubelet-config'),
    hasOptedOut: timer !== undefined && timer !== null && !(Number(timer) > 0),
  };
}

/** `n2d-highmem-16`, `custom-4-8192`; those without a number have two at most. */
function vcpusOf(machineType: string): number | undefined {
  const known = shapeOf(machineType)?.vcpus;
  if (known) return known;
  const [, custom, plain] = /custom-(\d+)-\d+|-(\d+)$/.exec(machineType) ?? [];
  const count = Number(custom ?? plain);
  if (count > 0) return count;
  return /-(micro|small|medium)$/.test(machineType) ? 2 : undefined;
}
