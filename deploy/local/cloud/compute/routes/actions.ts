import type { Request } from 'express';
import * as z from 'zod';
import { ComputeError, invalidField } from '../computeError.ts';
import { deleteInstance, setLabels, setMetadata, startInstance, stopInstance } from '../instances/actions.ts';
import type { Instance } from '../instances/instance.ts';
import { fingerprintOf, readLabels } from '../instances/labels.ts';
import { text } from '../lists/list.ts';
import type { Operation } from '../operations.ts';
import type { Parts } from '../parts.ts';
import { instanceOf, type On, onceBy } from './request.ts';

const Metadata = z.object({
  fingerprint: z.string().optional(),
  items: z.array(z.object({ key: z.string(), value: z.string().optional() })).default([]),
});

/** What changes an instance that is there: stop, start, delete, setLabels, setMetadata. */
export function actionRoutes(parts: Parts, on: On): void {
  const instancePath = '/zones/:zone/instances/:instance';

  /** Does it to the instance, once for each request id. */
  const act = (
    request: Request<Record<string, string>>,
    operationType: string,
    work: (parts: Parts, instance: Instance, requestId?: string) => Operation,
  ): object => {
    const { zone = '', instance: name = '' } = request.params;
    return onceBy(parts, request, { operationType, key: { zone, name } }, (requestId) =>
      work(parts, instanceOf(parts, request), requestId),
    );
  };

  on('post', `${instancePath}/stop`, 'instances.stop', (request, response) => {
    const answer = act(request, 'stop', (_, instance, requestId) => {
      if (instance.localSsds > 0 && text(request, 'discardLocalSsd') === undefined)
        throw new ComputeError(
          400,
          'badRequest',
          'VM has a Local SSD attached but an undefined value for `discard-local-ssd`. If using gcloud, please add `--discard-local-ssd=false` or `--discard-local-ssd=true` to your command.',
        );
      return stopInstance(parts, instance, requestId);
    });
    response.json(answer);
  });

  on('post', `${instancePath}/start`, 'instances.start', (request, response) => {
    response.json(act(request, 'start', startInstance));
  });

  on('delete', instancePath, 'instances.delete', (request, response) => {
    response.json(act(request, 'delete', deleteInstance));
  });

  const isAsItWas = (field: string, given: unknown, now: unknown) => {
    if (typeof given !== 'string' || given === '')
      throw invalidField(field, given, 'Fingerprint is required.');
    if (given === fingerprintOf(now)) return;
    const what = field.endsWith('labelFingerprint') ? 'Labels' : 'Supplied';
    throw new ComputeError(
      412,
      'conditionNotMet',
      `${what} fingerprint either invalid or resource ${what === 'Labels' ? 'labels have' : 'metadata has'} changed`,
    );
  };

  on('post', `${instancePath}/setLabels`, 'instances.setLabels', (request, response) => {
    const answer = act(request, 'setLabels', (_, instance, requestId) => {
      const { labels, labelFingerprint } = (request.body ?? {}) as Record<string, unknown>;
      isAsItWas('labelFingerprint', labelFingerprint, instance.body.labels ?? {});
      return setLabels(parts, instance, readLabels(labels), requestId);
    });
    response.json(answer);
  });

  on('post', `${instancePath}/setMetadata`, 'instances.setMetadata', (request, response) => {
    const answer = act(request, 'setMetadata', (_, instance, requestId) => {
      const metadata = Metadata.safeParse(request.body ?? {});
      if (!metadata.success) throw invalidField('metadata', request.body, z.prettifyError(metadata.error));
      const { items, fingerprint } = metadata.data;
      isAsItWas('metadata.fingerprint', fingerprint, instance.body.metadata?.items ?? []);
      return setMetadata(parts, instance, items, requestId);
    });
    response.json(answer);
  });
}
