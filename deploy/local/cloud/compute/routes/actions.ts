import type { Request } from 'express';
import * as z from 'zod';
import { ComputeError, invalidField, notReady } from '../computeError.ts';
import { foreseen } from '../instances/faulty.ts';
import type { Instance } from '../instances/instance.ts';
import { fingerprintOf, readLabels } from '../instances/labels.ts';
import { text } from '../lists/list.ts';
import type { Operation } from '../operations.ts';
import { type Parts, pathTo } from '../parts.ts';
import { instanceOf, type On, onceBy, targetOf } from './request.ts';

const Metadata = z.object({
  fingerprint: z.string().optional(),
  items: z.array(z.object({ key: z.string(), value: z.string().optional() })).default([]),
});

/** What changes an instance that is there: stop, start, delete, setLabels, setMetadata. */
export function actionRoutes(parts: Parts, on: On): void {
  const { context, tables, settings, operations, life } = parts;
  const instancePath = '/zones/:zone/instances/:instance';
  const pathOf = (instance: Instance) => pathTo(context, targetOf(instance));

  /** Begins an operation on the instance, once for each request id. */
  const act = (
    request: Request<Record<string, string>>,
    operationType: string,
    work: (instance: Instance, begin: () => Operation) => Operation,
  ): object => {
    const { zone = '', instance: name = '' } = request.params;
    return onceBy(parts, request, { operationType, key: { zone, name } }, (requestId) => {
      const instance = instanceOf(parts, request);
      const target = targetOf(instance);
      return work(instance, () =>
        operations.begin({ zone, operationType, target, targetId: instance.id, requestId }),
      );
    });
  };
  const done = (operation: Operation): Operation => {
    operations.finish(operation);
    return tables.operations.get(operation) ?? operation;
  };

  on('post', `${instancePath}/stop`, 'instances.stop', (request, response) => {
    const answer = act(request, 'stop', (instance, begin) => {
      if (instance.localSsds > 0 && text(request, 'discardLocalSsd') === undefined)
        throw new ComputeError(
          400,
          'badRequest',
          'VM has a Local SSD attached but an undefined value for `discard-local-ssd`. If using gcloud, please add `--discard-local-ssd=false` or `--discard-local-ssd=true` to your command.',
        );
      if (instance.status === 'TERMINATED') return done(begin());
      if (instance.status !== 'RUNNING') throw notReady(pathOf(instance));
      const operation = begin();
      life.end(instance, false, operation);
      return operation;
    });
    response.json(answer);
  });

  on('post', `${instancePath}/start`, 'instances.start', (request, response) => {
    const answer = act(request, 'start', (instance, begin) => {
      if (instance.status === 'RUNNING') return done(begin());
      if (instance.status !== 'TERMINATED') throw notReady(pathOf(instance));
      const failure = foreseen(context, tables, settings, instance);
      const operation = begin();
      life.start(instance, operation, failure);
      return operation;
    });
    response.json(answer);
  });

  on('delete', instancePath, 'instances.delete', (request, response) => {
    const answer = act(request, 'delete', (instance, begin) => {
      if (instance.body.deletionProtection)
        throw new ComputeError(
          400,
          'invalid',
          `Invalid resource usage: 'Resource cannot be deleted if it's protected against deletion. Please verify the instance ${instance.name} is not protected against deletion before attempting to delete it.'.`,
        );
      const operation = begin();
      life.end(instance, true, operation);
      return operation;
    });
    response.json(answer);
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
    const answer = act(request, 'setLabels', (instance, begin) => {
      const { labels: given, labelFingerprint } = (request.body ?? {}) as Record<string, unknown>;
      isAsItWas('labelFingerprint', labelFingerprint, instance.body.labels ?? {});
      const labels = readLabels(given);
      tables.instances.put({ ...instance, body: { ...instance.body, labels } });
      return done(begin());
    });
    response.json(answer);
  });

  on('post', `${instancePath}/setMetadata`, 'instances.setMetadata', (request, response) => {
    const answer = act(request, 'setMetadata', (instance, begin) => {
      const metadata = Metadata.safeParse(request.body ?? {});
      if (!metadata.success) throw invalidField('metadata', request.body, z.prettifyError(metadata.error));
      const { items, fingerprint } = metadata.data;
      isAsItWas('metadata.fingerprint', fingerprint, instance.body.metadata?.items ?? []);
      tables.instances.put({ ...instance, body: { ...instance.body, metadata: { items } } });
      const runtime = life.runtime(instance);
      if (runtime?.metadata)
        runtime.metadata.attributes = Object.fromEntries(items.map(({ key, value = '' }) => [key, value]));
      runtime?.live?.metadata.changed();
      return done(begin());
    });
    response.json(answer);
  });
}
